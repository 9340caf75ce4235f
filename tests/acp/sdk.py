"""Drives `pilotfish acp` with the Python SDK of the Agent Client Protocol, as an editor would. The model behind it is scripted by
the test that starts this: see tests/e2e/acp_clients.rs. Arguments: the program, and a folder with the file a.txt."""

import asyncio
import os
import sys
from pathlib import Path

import acp
from acp.schema import ClientCapabilities, FileEditToolCallContent, TextContentBlock

PROGRAM, FOLDER = sys.argv[1], Path(sys.argv[2])


class Editor(acp.Client):
    """Keeps what it is told."""

    def __init__(self):
        self.updates = []
        self.asked = []
        self.news = asyncio.Event()

    async def request_permission(self, options, session_id, tool_call, **kwargs):
        self.asked.append((tool_call.title, [(option.option_id, option.kind) for option in options]))
        return acp.RequestPermissionResponse(outcome={"outcome": "selected", "optionId": "once"})

    async def session_update(self, session_id, update, **kwargs):
        self.updates.append(update)
        self.news.set()

    def of_kind(self, kind):
        return [update for update in self.updates if update.session_update == kind]

    def words(self, kind="agent_message_chunk"):
        return "".join(update.content.text for update in self.of_kind(kind))

    async def until(self, words):
        while words not in self.words():
            self.news.clear()
            await self.news.wait()

    def take(self):
        taken, self.updates = self.updates, []
        return taken


def start(editor):
    return acp.spawn_agent_process(editor, PROGRAM, "acp", env=dict(os.environ))


def same(got, expected):
    assert got == expected, f"got {got!r}, expected {expected!r}"


def text(words):
    return [TextContentBlock(type="text", text=words)]


async def work(agent, editor):
    hello = await agent.initialize(protocol_version=acp.PROTOCOL_VERSION, client_capabilities=ClientCapabilities())
    same((hello.protocol_version, hello.agent_info.name), (1, "pilotfish"))
    can = hello.agent_capabilities
    same((can.load_session, can.prompt_capabilities.embedded_context, can.prompt_capabilities.image), (True, True, False))

    session = await agent.new_session(cwd=str(FOLDER), mcp_servers=[])
    same(session.modes.current_mode_id, "read-only")
    same([(option.id, option.current_value) for option in session.config_options],
         [("mode", "read-only"), ("model", "fake/one")])
    session_id = session.session_id
    options = await agent.set_config_option(config_id="mode", session_id=session_id, value="agent")
    same(options.config_options[0].current_value, "agent")
    await agent.set_session_mode(session_id=session_id, mode_id="read-only")
    await agent.set_session_mode(session_id=session_id, mode_id="agent")
    editor.take()

    answer = await agent.prompt(session_id=session_id, prompt=text("change a.txt"))
    same((answer.stop_reason, editor.words()), ("end_turn", "changed"))
    same([call.kind for call in editor.of_kind("tool_call")], ["read", "edit"])
    contents = [piece for call in editor.of_kind("tool_call_update") for piece in call.content or []]
    diffs = [piece for piece in contents if isinstance(piece, FileEditToolCallContent)]
    same([(Path(diff.path).name, diff.old_text, diff.new_text) for diff in diffs], [("a.txt", "one\n", "1\n")])
    same((FOLDER / "a.txt").read_text(), "1\n")
    editor.take()

    answer = await agent.prompt(session_id=session_id, prompt=text("change .envrc"))
    same((answer.stop_reason, editor.words()), ("end_turn", "asked"))
    same(editor.asked, [("change .envrc", [("once", "allow_once"), ("session", "allow_always"), ("no", "reject_once")])])
    same((FOLDER / ".envrc").read_text(), "x")
    editor.take()

    prompt = asyncio.create_task(agent.prompt(session_id=session_id, prompt=text("think for ever")))
    await editor.until("I will")
    await agent.cancel(session_id=session_id)
    same((await prompt).stop_reason, "cancelled")
    editor.take()

    try:
        await agent.prompt(session_id=session_id, prompt=text("fail"))
        raise AssertionError("a failed turn is an error")
    except acp.RequestError as error:
        assert "no such key" in str(error), error

    answers = await asyncio.gather(
        agent.prompt(session_id=session_id, prompt=text("first")),
        agent.prompt(session_id=session_id, prompt=text("second")),
    )
    same([answer.stop_reason for answer in answers], ["end_turn", "end_turn"])
    same(editor.words(), "one two")
    return session_id


async def come_back(agent, editor, session_id):
    await agent.initialize(protocol_version=acp.PROTOCOL_VERSION)
    listed = await agent.list_sessions(cwd=str(FOLDER))
    same([(session.session_id, session.title) for session in listed.sessions], [(session_id, "change a.txt")])
    opened = await agent.load_session(cwd=str(FOLDER), session_id=session_id, mcp_servers=[])
    # The SDK hands updates on in tasks of their own, each begun before the answer is read.
    await asyncio.sleep(0)
    same(opened.modes.current_mode_id, "agent")
    same(editor.words("user_message_chunk"), "change a.txtchange .envrcthink for everfailfirstsecond")
    same(len(editor.of_kind("tool_call")), 3)
    editor.take()
    await agent.resume_session(cwd=str(FOLDER), session_id=session_id)
    same(editor.take(), [])
    answer = await agent.prompt(session_id=session_id, prompt=text("and again"))
    same((answer.stop_reason, editor.words()), ("end_turn", "again"))
    await agent.close_session(session_id=session_id)
    same([session.session_id for session in (await agent.list_sessions()).sessions], [session_id])


async def main():
    editor = Editor()
    async with start(editor) as (agent, _):
        session_id = await work(agent, editor)
    editor = Editor()
    async with start(editor) as (agent, _):
        await come_back(agent, editor, session_id)
    print("ok")


asyncio.run(asyncio.wait_for(main(), timeout=140))

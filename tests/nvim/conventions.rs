//! What every plugin should do: say how it is, be documented, take no key that is somebody's, and cost nothing before it is used.

use crate::scene::Scene;
use pilotfish_tests::desk::{Desk, LIMIT};
use pilotfish_tests::nvim::{Nvim, plugin, versions};
use std::collections::BTreeSet;
use std::process::Output;

/// What `:checkhealth pilotfish` says.
async fn health(nvim: &Nvim) -> String {
    nvim.command("checkhealth pilotfish").await;
    nvim.until("vim.fn.search('What went wrong', 'nw') > 0").await;
    let lines: Vec<String> = nvim.lua("return vim.api.nvim_buf_get_lines(0, 0, -1, true)").await;
    nvim.command("bwipeout!").await;
    lines.join("\n")
}

#[tokio::test]
async fn health_is_good_and_each_fault_is_named_with_what_mends_it() {
    for version in versions() {
        let scene = Scene::begin("agent", &[]).await;
        let nvim = scene.nvim(&version, "notes.txt").await;
        let good = health(&nvim).await;
        assert!(!good.contains("ERROR"), "{good}");
        let rows = [
            "Neovim ",
            "pilotfish 0.",
            "Process ",
            " MB of memory",
            "protocol 1",
            "a command runs confined",
            "fake/one",
            "No other plugin",
        ];
        for row in rows {
            assert!(good.contains(row), "no {row}:\n{good}");
        }
        assert!(!good.contains("FAKE_KEY") && !good.contains("WARNING 'autoread'"), "{good}");
        let faults = [
            ("vim.o.autoread = false", "'autoread' is off"),
            ("vim.o.hidden = false", "'hidden' is off"),
            ("vim.g.pilotfish = { dif = 'none' }", "vim.g.pilotfish.dif is no setting"),
            ("vim.g.pilotfish = { diff = 'all' }", "it is one of inline, signs, none"),
            ("vim.keymap.set('n', ']h', 'x')", "]h is taken"),
            ("package.loaded.gitsigns = {}", "gitsigns.nvim draws changes too"),
        ];
        for (fault, says) in faults {
            nvim.run(fault).await;
            let said = health(&nvim).await;
            assert!(said.contains(says), "{fault} is not told of:\n{said}");
        }
        scene.desk.write("home/config.toml", "model = \"none/one\"\n");
        nvim.run("vim.g.pilotfish = { program = '/nowhere/pilotfish' }").await;
        let said = health(&nvim).await;
        for says in ["There is no program /nowhere/pilotfish", "ERROR"] {
            assert!(said.contains(says), "{said}");
        }
        nvim.quit().await;
    }
}

/// Everything that has a name of ours, from where it is defined.
async fn names(nvim: &Nvim) -> BTreeSet<String> {
    let names: Vec<String> = nvim
        .lua(
            "local names = {}
            for name in pairs(require('pilotfish.commands').entries) do table.insert(names, ':Pilotfish-' .. name) end
            for name in pairs(require('pilotfish.config').settings) do table.insert(names, 'g:pilotfish.' .. name) end
            for name in pairs(vim.api.nvim_get_hl(0, {})) do
              if vim.startswith(name, 'Pilotfish') then table.insert(names, 'hl-' .. name) end
            end
            for _, mode in ipairs({ 'n', 'x', 'o' }) do
              for _, map in ipairs(vim.api.nvim_get_keymap(mode)) do
                if map.lhs:find('pilotfish', 1, true) then table.insert(names, map.lhs) end
              end
            end
            for _, name in ipairs({ 'status', 'enable', 'hunks' }) do table.insert(names, ('pilotfish.%s()'):format(name)) end
            return names",
        )
        .await;
    let events = ["PilotfishStatus", "PilotfishReview", "PilotfishApproval", "PilotfishTurnDone"].map(str::to_owned);
    names.into_iter().chain(events).collect()
}

#[tokio::test]
async fn every_name_has_a_tag_in_the_help_and_every_tag_of_a_name_is_one() {
    for version in versions() {
        let desk = Desk::default();
        let nvim = Nvim::start(&desk, &version, 100, 30).await;
        let help = desk.path("user/doc");
        std::fs::create_dir(&help).expect("a folder");
        std::fs::copy(plugin().join("doc/pilotfish.txt"), help.join("pilotfish.txt")).expect("a copy");
        nvim.command(&format!("helptags {}", help.display())).await;
        let tags = std::fs::read_to_string(help.join("tags")).expect("tags");
        let tags: BTreeSet<String> =
            tags.lines().filter_map(|line| line.split('\t').next()).map(str::to_owned).collect();
        let names = names(&nvim).await;
        let missing: Vec<_> = names.difference(&tags).collect();
        assert!(missing.is_empty(), "without a tag: {missing:?}");
        let is_name = |tag: &&String| {
            tag.starts_with(":Pilotfish-")
                || tag.starts_with("g:pilotfish.")
                || tag.starts_with("hl-")
                || tag.starts_with("<Plug>")
        };
        // Those of the buffer in which messages are written are its own.
        let own = ["<Plug>(pilotfish-send)", "<Plug>(pilotfish-steer)"];
        let stale: Vec<_> =
            tags.iter().filter(is_name).filter(|tag| !names.contains(*tag) && !own.contains(&tag.as_str())).collect();
        assert!(stale.is_empty(), "tags of nothing: {stale:?}");
        let wide = std::fs::read_to_string(help.join("pilotfish.txt")).expect("help");
        let wide: Vec<_> = wide.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "too wide: {wide:?}");
        nvim.quit().await;
    }
}

#[tokio::test]
async fn no_key_is_taken_and_nothing_is_loaded_before_it_is_used() {
    for version in versions() {
        let desk = Desk::default();
        let nvim = Nvim::start(&desk, &version, 100, 30).await;
        let (keys, loaded): (Vec<String>, Vec<String>) = nvim
            .lua(
                "local keys, loaded = {}, {}
                for _, mode in ipairs({ 'n', 'i', 'x', 's', 'o', 'c', 't' }) do
                  for _, map in ipairs(vim.api.nvim_get_keymap(mode)) do
                    local ours = (map.rhs or ''):find('ilotfish') or (map.callback and debug.getinfo(map.callback).source:find('pilotfish'))
                    if ours and not vim.startswith(map.lhs, '<Plug>') then table.insert(keys, map.lhs) end
                  end
                end
                for name in pairs(package.loaded) do
                  if vim.startswith(name, 'pilotfish') then table.insert(loaded, name) end
                end
                return { keys, loaded }",
            )
            .await;
        assert_eq!((keys, loaded), (Vec::new(), Vec::new()));
        nvim.quit().await;
    }
}

/// The plugin's own part of a start, in milliseconds, as the editor measures it; the least of some starts, since the machine does
/// other work too.
#[tokio::test]
async fn the_plugin_costs_at_most_a_millisecond_of_a_start() {
    for version in versions() {
        let desk = Desk::default();
        let log = desk.path("user/start.log");
        let mut least = f64::MAX;
        for _ in 0..20 {
            let _ = std::fs::remove_file(&log);
            let mut command = desk.pilotfish_at(&version.program, &["--headless", "--clean", "-n", "-i", "NONE"]);
            command.args(["--cmd", &format!("set runtimepath^={}", plugin().display())]);
            command.arg("--startuptime").arg(&log).arg("+qall!");
            let run: Output = tokio::time::timeout(LIMIT, command.output()).await.expect("in time").expect("it starts");
            assert!(run.status.success(), "{run:?}");
            let text = std::fs::read_to_string(&log).expect("a log");
            let line = text.lines().find(|line| line.contains("plugin/pilotfish.lua")).expect("it is loaded");
            // Such as `011.352  000.252  000.252: sourcing …`: when it was done, with what it loaded, and by itself.
            let with_all: f64 = line.split_whitespace().nth(1).and_then(|time| time.parse().ok()).expect("a time");
            least = least.min(with_all);
        }
        assert!(least <= 1.0, "{least} ms in the {} Neovim", version.name);
    }
}

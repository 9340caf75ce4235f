//! What tests of the chat share: opening it, and what stands in it.

use crate::scene::Scene;
use pilotfish_tests::nvim::{Nvim, Version};

/// A Neovim with `notes.txt` open and the chat of the scene's session beside it, the cursor in the composer.
pub async fn chat(scene: &Scene, version: &Version) -> Nvim {
    let nvim = scene.nvim_of(version, (110, 42), "notes.txt").await;
    nvim.command("Pilotfish chat").await;
    nvim.see("Ask, or / for commands").await;
    nvim
}

/// What the chat shows above the composer, without blank rows: those that stand for fences differ between the versions.
pub async fn shown(nvim: &Nvim) -> String {
    let (left, top, height): (usize, usize, usize) = nvim
        .lua(
            "local window = require('pilotfish.chat').window()
            local place = vim.fn.win_screenpos(window)
            return { place[2] - 1, place[1] - 1, vim.api.nvim_win_get_height(window) }",
        )
        .await;
    let screen = nvim.screen().await;
    let rows = screen.rows().iter().skip(top).take(height);
    let text = |row: &Vec<_>| -> String {
        row.iter().skip(left).map(|cell: &pilotfish_tests::nvim::Cell| cell.text.as_str()).collect()
    };
    let lines = rows.map(|row| text(row).trim_end().to_owned()).filter(|line| !line.is_empty());
    lines.map(|line| line + "\n").collect()
}

/// Runs what was put on `vim.ui.select`'s list under a text that begins so.
pub async fn pick(nvim: &Nvim, text: &str) {
    nvim.until("_G.asked ~= nil").await;
    let picked: bool = nvim
        .lua(&format!(
            "local asked = _G.asked
            _G.asked = nil
            for _, item in ipairs(asked.items) do
              if vim.startswith(asked.options.format_item(item), {text:?}) then
                vim.schedule(function() asked.choose(item) end)
                return true
              end
            end
            return false"
        ))
        .await;
    assert!(picked, "there is no choice {text}");
}

/// Has lists be kept for [`pick`] instead of shown, as a picker plugin does.
pub async fn keep_lists(nvim: &Nvim) {
    nvim.run(
        "vim.ui.select = function(items, options, choose)
          _G.asked = { items = items, options = options, choose = choose }
        end",
    )
    .await;
}

/// What is on the list, with its kind above.
pub async fn list(nvim: &Nvim) -> String {
    nvim.until("_G.asked ~= nil").await;
    nvim.lua(
        "local lines = { _G.asked.options.kind }
        for _, item in ipairs(_G.asked.items) do
          table.insert(lines, _G.asked.options.format_item(item))
        end
        return table.concat(lines, '\\n')",
    )
    .await
}

//! Draws a screen as a picture, for people to look at: a page of coloured cells, drawn by a headless Chromium.

use super::Screen;
use super::screen::Look;
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

/// A cell's width and height in pixels, as the font below has them at its size.
const CELL: (usize, usize) = (9, 20);

/// Draws it into `target/tests/pictures/NAME.png`, when `PILOTFISH_TEST_PICTURES` is set.
pub async fn draw(screen: &Screen, name: &str) {
    if std::env::var_os("PILOTFISH_TEST_PICTURES").is_none() {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tests/pictures");
    std::fs::create_dir_all(&folder).expect("a folder");
    let (page, picture) = (folder.join(format!("{name}.html")), folder.join(format!("{name}.png")));
    std::fs::write(&page, html(screen)).expect("a page");
    let columns = screen.rows().first().map_or(0, Vec::len);
    let profile = tempfile::tempdir().expect("a folder");
    let status = Command::new("chromium")
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--hide-scrollbars",
            "--kiosk",
        ])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--window-size={},{}", columns * CELL.0, screen.rows().len() * CELL.1))
        // The page is as large as the screen it is shown on, which is small unless said.
        .arg(format!("--screen-info={{{}x{}}}", columns * CELL.0, screen.rows().len() * CELL.1))
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await;
    assert!(status.is_ok_and(|status| status.success()) && picture.exists(), "chromium draws {}", picture.display());
    std::fs::remove_file(page).expect("it is there");
}

fn html(screen: &Screen) -> String {
    let (foreground, background) = screen.colours();
    let (width, height) = CELL;
    let mut cells = String::new();
    for (row, line) in screen.rows().iter().enumerate() {
        for (column, cell) in line.iter().enumerate() {
            let wide = line.get(column + 1).is_some_and(|next| next.text.is_empty());
            let mut style = colours(&screen.look(cell), (foreground, background));
            style += &format!("left:{}px;top:{}px;", column * width, row * height);
            style += &format!("width:{}px;", if wide { 2 * width } else { width });
            if screen.cursor() == (row, column) {
                style += "outline:1px solid;outline-offset:-1px;";
            }
            if !cell.text.is_empty() {
                cells += &format!("<i style='{style}'>{}</i>", escaped(&cell.text));
            }
        }
    }
    format!(
        "<meta charset=utf-8><style>body{{margin:0;background:#{background:06x}}}i{{position:absolute;overflow:hidden;\
         height:{height}px;font:15px/{height}px 'DejaVu Sans Mono',monospace;white-space:pre}}</style>{cells}"
    )
}

fn colours(look: &Look, (foreground, background): (u64, u64)) -> String {
    let mut pair = (look.foreground.unwrap_or(foreground), look.background.unwrap_or(background));
    let has = |style: &str| look.styles.contains(style);
    if has("reverse") {
        pair = (pair.1, pair.0);
    }
    let mut style = format!("color:#{:06x};background:#{:06x};", pair.0, pair.1);
    let lines = [("underline", "underline"), ("undercurl", "underline wavy"), ("strikethrough", "line-through")];
    for (name, drawn) in lines {
        if has(name) {
            style += &format!("text-decoration:{drawn};");
        }
    }
    style += if has("bold") { "font-weight:bold;" } else { "" };
    style += if has("italic") { "font-style:italic;" } else { "font-style:normal;" };
    style
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

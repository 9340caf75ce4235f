//! The extension in a real VS Code workbench, with the daemon and a scripted model. `tests/run vscode` fetches the workbench, packages the
//! extension and says where both are; without them these tests are skipped. What is done in the workbench stands in the scripts beside
//! this file.

mod both;
mod daemon;
mod focus;
mod git;
mod panel;
mod review;
mod scene;
mod sessions;
mod stop;
mod window;

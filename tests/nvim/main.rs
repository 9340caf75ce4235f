//! The plugin in real Neovims, the oldest and the newest that we support, with the daemon and a scripted model. `tests/run neovim` fetches
//! the editors and says where they are; without them these tests are skipped.

mod approvals;
mod chat;
mod composer;
mod connecting;
mod conventions;
mod drawing;
mod editing;
mod hostile;
mod pure;
mod readme;
mod reviewing;
mod scene;
mod screen;
mod story;
mod talk;
mod work;

//! Whether a link leads out of the workspace, now or once all else that a command wrote is there.

use super::tree::Run;
use crate::workspace::files::open_beneath;
use rustix::fs::{Access, AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::path::{Component, Path, PathBuf};

/// Where programs are installed. A link to a file there that this user may not write, as the interpreter of a virtual environment,
/// gives nobody a way to write anything.
const INSTALLED: &[&str] = &["/usr", "/bin", "/lib", "/lib64", "/opt", "/nix/store"];

impl Run<'_> {
    /// Whether the target of a link, which is to lie at `path` of the walked layer, may lie outside the workspace. What cannot be told
    /// counts as outside.
    pub(super) fn leads_out(&self, path: &Path, target: &Path) -> bool {
        let workspace = &self.publication.workspace;
        let link = self.root().as_path().join(path);
        let Ok(inside) = link.strip_prefix(workspace.as_path()) else { return true };
        let Some(target) = inside_target(workspace.as_path(), inside, target) else { return !is_installed(target) };
        // Links on the way are followed as they are now. Those that are yet to come are judged when they come.
        matches!(open_beneath(workspace, &target, OFlags::PATH, Mode::empty()), Err(Errno::XDEV))
    }
}

/// The target from the workspace, if by name alone it must lie there. After a name `..` may lead anywhere: the name may be a link.
fn inside_target(workspace: &Path, link: &Path, target: &Path) -> Option<PathBuf> {
    let (mut at, rest) = match target.strip_prefix(workspace) {
        Ok(rest) => (PathBuf::new(), rest),
        Err(_) if target.is_absolute() => return None,
        Err(_) => (link.parent()?.to_owned(), target),
    };
    let mut is_down = false;
    for component in rest.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(name) => {
                is_down = true;
                at.push(name);
            }
            Component::ParentDir if !is_down && at.pop() => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(at)
}

fn is_installed(target: &Path) -> bool {
    let is_plain = target.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    let real = target.canonicalize().unwrap_or_default();
    is_plain
        && INSTALLED.iter().any(|installed| target.starts_with(installed) && real.starts_with(installed))
        && real.is_file()
        && rustix::fs::accessat(rustix::fs::CWD, &real, Access::WRITE_OK, AtFlags::EACCESS) == Err(Errno::ACCESS)
}

//! Removing what a command left, whatever it left: links are never followed, and what it closed to itself is opened again.
//! Nobody else may be at work in the folder.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Removes a file, or a folder with all in it. What is not there is removed already.
///
/// # Errors
/// When something cannot be removed.
pub fn remove(path: &Path) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata?,
    };
    if !metadata.is_dir() {
        return fs::remove_file(path);
    }
    open_up(path, &metadata)?;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { remove(&entry.path())? } else { fs::remove_file(entry.path())? }
    }
    fs::remove_dir(path)
}

/// Removes all below `root` but the folders that `is_kept` names, by their paths below it, and what holds them. Returns how many bytes
/// on disk are left.
///
/// # Errors
/// When something cannot be read or removed.
pub(crate) fn keep_only(root: &Path, is_kept: &dyn Fn(&Path) -> bool) -> io::Result<u64> {
    let mut bytes = 0;
    keep_below(root, Path::new(""), is_kept, &mut bytes)?;
    Ok(bytes)
}

/// Whether anything was kept.
fn keep_below(root: &Path, below: &Path, is_kept: &dyn Fn(&Path) -> bool, bytes: &mut u64) -> io::Result<bool> {
    let folder = root.join(below);
    // What hides the folder it stands for would hide it from the next run as well.
    if below != Path::new("") && is_opaque(&folder) {
        return Ok(false);
    }
    open_up(&folder, &fs::symlink_metadata(&folder)?)?;
    let mut kept_any = false;
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        let name = below.join(entry.file_name());
        let is_folder = entry.file_type()?.is_dir();
        if is_folder && is_kept(&name) {
            *bytes += size(&entry.path())?;
            kept_any = true;
        } else if is_folder && keep_below(root, &name, is_kept, bytes)? {
            kept_any = true;
        } else {
            remove(&entry.path())?;
        }
    }
    Ok(kept_any)
}

fn is_opaque(folder: &Path) -> bool {
    let mut value = [0; 1];
    matches!(rustix::fs::lgetxattr(folder, "user.overlay.opaque", &mut value), Ok(1)) && value == *b"y"
}

fn size(path: &Path) -> io::Result<u64> {
    let metadata = fs::symlink_metadata(path)?;
    let mut bytes = metadata.blocks() * 512;
    if metadata.is_dir() {
        open_up(path, &metadata)?;
        for entry in fs::read_dir(path)? {
            bytes += size(&entry?.path())?;
        }
    }
    Ok(bytes)
}

/// Lets us read and change a folder that is ours.
fn open_up(folder: &Path, metadata: &Metadata) -> io::Result<()> {
    let mode = metadata.mode();
    if mode & 0o700 == 0o700 {
        Ok(())
    } else {
        fs::set_permissions(folder, Permissions::from_mode(mode & 0o7777 | 0o700))
    }
}

#[cfg(test)]
mod tests;

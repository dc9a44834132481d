//! The copy of a project in which checks are proved: its own files and what else they need, nothing of it a link into the
//! project, gone at the end. A control is laid over it and taken off again.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::domain::control::Control;
use crate::tree;

/// A copy of a project.
#[derive(Debug)]
pub struct Scratch {
    /// Holds the copy, and what was moved aside of it; removed with all in it at the end.
    room: TempDir,
    /// The copy's top.
    top: PathBuf,
    /// What was copied: the top of the repository, else the manifest's folder.
    origin: PathBuf,
    /// The manifest's folder in the copy.
    folder: PathBuf,
    /// What was named and is not there.
    pub missing: Vec<String>,
}

impl Scratch {
    /// Copies the project whose manifest is in `folder`: the files that git tracks or would track (else all that are not
    /// ignored), and what `also` names, relative to the manifest: files, folders, or patterns of files.
    ///
    /// # Errors
    /// A file cannot be read, or there is no room.
    pub fn of(folder: &Path, also: &[String]) -> Result<Scratch> {
        let folder = folder.canonicalize().context("cannot find the project")?;
        let origin = tree::top(&folder).unwrap_or_else(|| folder.clone());
        let room = tempfile::Builder::new()
            .prefix("ready-prove-")
            .tempdir()
            .context("cannot make a folder for the copy")?;
        let top = room.path().canonicalize()?.join("copy");
        let below = folder.strip_prefix(&origin).unwrap_or(Path::new(""));
        let mut scratch = Scratch {
            folder: top.join(below),
            top: top.clone(),
            room,
            origin,
            missing: vec![],
        };
        fs::create_dir_all(&scratch.folder)?;
        for file in tree::files(&scratch.origin) {
            scratch.renew(&file)?;
        }
        // Tools that ask git find a repository of its own there, which knows nothing of the other.
        tree::begin(&top);
        for name in also {
            let named = below.join(name);
            if scratch.origin.join(&named).exists() {
                scratch.renew(&named)?;
                continue;
            }
            let matching = matching(&folder, name);
            if matching.is_empty() {
                scratch.missing.push(name.clone());
            }
            for file in matching {
                scratch.renew(&below.join(file))?;
            }
        }
        Ok(scratch)
    }

    /// Where a file is in the copy, named relative to the manifest.
    ///
    /// # Errors
    /// It is not in the copy, by its name or by a link on the way.
    fn place(&self, name: &Path) -> Result<PathBuf> {
        let path = tree::clean(&self.folder.join(name));
        let above = path.ancestors().skip(1).find(|above| above.exists());
        let above = above.and_then(|above| above.canonicalize().ok());
        if !path.starts_with(&self.top) || !above.is_some_and(|above| above.starts_with(&self.top))
        {
            bail!("`{}` lies outside of the project", name.display());
        }
        Ok(path)
    }

    /// The manifest's folder in the copy.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes a path of the copy, relative to its top, as it is in the project: copied with all below it, or gone.
    fn renew(&self, name: &Path) -> Result<()> {
        let (from, to) = (self.origin.join(name), self.top.join(name));
        let there = fs::symlink_metadata(&from);
        match fs::symlink_metadata(&to) {
            Ok(data) if data.is_dir() && !there.as_ref().is_ok_and(fs::Metadata::is_dir) => {
                fs::remove_dir_all(&to)?;
            }
            Ok(data) if !data.is_dir() => fs::remove_file(&to)?,
            _ => {}
        }
        let Ok(there) = there else { return Ok(()) };
        if let Some(above) = to.parent() {
            fs::create_dir_all(above)?;
        }
        let what = || format!("cannot copy `{}`", from.display());
        if there.is_symlink() {
            self.link(&from, &to).with_context(what)
        } else if there.is_dir() {
            fs::create_dir_all(&to).with_context(what)?;
            for entry in fs::read_dir(&from).with_context(what)? {
                let entry = entry?;
                // What `ready` keeps, and what git does, belong to the project alone.
                if ![".ready", ".git"]
                    .map(std::ffi::OsStr::new)
                    .contains(&&*entry.file_name())
                {
                    self.renew(&name.join(entry.file_name()))?;
                }
            }
            Ok(())
        } else if there.is_file() {
            reflink_copy::reflink_or_copy(&from, &to).with_context(what)?;
            // A clone of the content alone loses who may run it.
            fs::set_permissions(&to, there.permissions()).with_context(what)
        } else {
            // Sockets, pipes and devices are no part of a project.
            Ok(())
        }
    }

    /// Copies a link; one that leads into the project leads into the copy.
    fn link(&self, from: &Path, to: &Path) -> Result<()> {
        let leads = fs::read_link(from)?;
        let inside = leads.strip_prefix(&self.origin).ok();
        let leads = match inside {
            Some(inside) => self.top.join(inside),
            None => leads,
        };
        symlink(&leads, to)
    }

    /// Lays a control's files and patch over the copy.
    ///
    /// # Errors
    /// They do not fit.
    pub fn lay(&self, control: &Control) -> Result<Laid<'_>> {
        let mut laid = self.clean();
        for (name, text) in &control.files {
            laid.put(name, text.as_bytes())?;
        }
        if let Some(patch) = &control.patch {
            let files = tree::patched(&self.folder, patch);
            let files = files.context("its `patch` cannot be read, or git is not here")?;
            for file in files {
                let path = self.place(Path::new(&file))?;
                let aside = laid.moved_aside(&path)?;
                if let Some(aside) = aside {
                    fs::copy(aside, &path)?;
                }
            }
            if let Err(why) = tree::apply(&self.folder, patch) {
                bail!("its `patch` does not apply: {why}");
            }
        }
        Ok(laid)
    }

    /// With nothing laid over it yet.
    pub(super) fn clean(&self) -> Laid<'_> {
        Laid {
            scratch: self,
            moved: vec![],
        }
    }
}

/// What lies over a copy: taken off when this ends.
#[derive(Debug)]
pub struct Laid<'s> {
    scratch: &'s Scratch,
    /// Each file that was laid, and where that is now which was in its place; in order.
    moved: Vec<(PathBuf, Option<PathBuf>)>,
}

impl Laid<'_> {
    /// Writes a file, named relative to the manifest.
    pub(super) fn put(&mut self, name: &str, content: &[u8]) -> Result<()> {
        // A path below what is a file means the file: `tests/test_a.py/test_control.py`, where a folder was thought of.
        let whole = Path::new(name);
        let is_file = |above: &&Path| self.scratch.folder.join(above).is_file();
        let name = whole
            .ancestors()
            .find(is_file)
            .unwrap_or(whole)
            .to_path_buf();
        let path = self.scratch.place(&name)?;
        let name = name.display();
        if let Some(above) = path.parent() {
            fs::create_dir_all(above).with_context(|| format!("cannot make room for `{name}`"))?;
        }
        // Not through a link, which may lead anywhere.
        self.moved_aside(&path)?;
        fs::write(&path, content).with_context(|| format!("cannot write `{name}`"))
    }

    /// Removes a file, named relative to the manifest.
    pub(super) fn remove(&mut self, name: &str) -> Result<()> {
        let path = self.scratch.place(Path::new(name))?;
        self.moved_aside(&path)?;
        Ok(())
    }

    /// Moves what is at a path aside, until all is put back; gives where it is.
    fn moved_aside(&mut self, path: &Path) -> Result<Option<PathBuf>> {
        let aside = match fs::symlink_metadata(path) {
            Ok(_) => {
                let aside = self.scratch.room.path().join(ulid::Ulid::new().to_string());
                fs::rename(path, &aside)
                    .with_context(|| format!("cannot move `{}` aside", path.display()))?;
                Some(aside)
            }
            Err(_) => None,
        };
        self.moved.push((path.to_path_buf(), aside.clone()));
        Ok(aside)
    }
}

impl Drop for Laid<'_> {
    fn drop(&mut self) {
        // What cannot be put back makes the good state fail, which is told.
        for (path, aside) in self.moved.iter().rev() {
            let _ = fs::remove_file(path);
            if let Some(aside) = aside {
                let _ = fs::rename(aside, path);
            }
        }
    }
}

/// The files below a folder that match a pattern, whoever ignores them.
fn matching(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let set = tree::set_of(&[pattern.to_string()]);
    let walk = ignore::WalkBuilder::new(folder)
        .standard_filters(false)
        .filter_entry(|entry| {
            ![".git", ".ready"]
                .map(std::ffi::OsStr::new)
                .contains(&entry.file_name())
        })
        .build();
    let below = walk.flatten().filter_map(|entry| {
        let is_file = entry.file_type().is_some_and(|kind| !kind.is_dir());
        let path = entry.path().strip_prefix(folder).ok()?.to_path_buf();
        (is_file && set.is_match(&path)).then_some(path)
    });
    below.collect()
}

#[cfg(unix)]
fn symlink(leads: &Path, to: &Path) -> Result<()> {
    Ok(std::os::unix::fs::symlink(leads, to)?)
}

#[cfg(windows)]
fn symlink(leads: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().unwrap_or(to);
    Ok(match folder.join(leads).is_dir() {
        true => std::os::windows::fs::symlink_dir(leads, to)?,
        false => std::os::windows::fs::symlink_file(leads, to)?,
    })
}

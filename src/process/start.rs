//! Finding a program, and saying apart why it cannot be started. The system gives one error for a missing program, a
//! missing interpreter and a missing directory; a person needs to know which.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;

use crate::domain::evidence::{Failure, SpawnFailure};

/// What a program sees of the environment.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// Whether it starts from nothing but PATH (and what Windows cannot do without).
    pub clean: bool,
    /// What is set on top.
    pub set: BTreeMap<String, String>,
}

impl Environment {
    /// The variables that a clean environment keeps.
    const KEPT: [&'static str; 3] = ["PATH", "SystemRoot", "PATHEXT"];

    /// The value that the program will see.
    pub fn get(&self, name: &str) -> Option<OsString> {
        match self.set.get(name) {
            Some(value) => Some(value.into()),
            None if self.clean && !Self::KEPT.contains(&name) => None,
            None => std::env::var_os(name),
        }
    }

    /// Gives the environment to a command.
    pub(super) fn apply(&self, command: &mut std::process::Command) {
        if self.clean {
            command.env_clear();
            command.envs(
                Self::KEPT
                    .iter()
                    .filter_map(|name| Some((*name, std::env::var_os(name)?))),
            );
        }
        command.envs(&self.set);
    }
}

/// The standard input of a program that is given these bytes.
pub(super) fn stdin(bytes: &Option<Arc<[u8]>>) -> Stdio {
    match bytes {
        Some(_) => Stdio::piped(),
        None => Stdio::null(),
    }
}

/// Writes its standard input beside everything else: what a program does not read holds up nobody.
pub(super) fn feed(child: &mut Child, bytes: &Option<Arc<[u8]>>) {
    if let (Some(mut stdin), Some(bytes)) = (child.stdin.take(), bytes.clone()) {
        // A program that ends before it has read all of it breaks the pipe, and needs no more.
        std::thread::spawn(move || stdin.write_all(&bytes));
    }
}

/// Finds a program by the PATH that it will see itself. One with a separator in its name is relative to `cwd`.
///
/// # Errors
/// What is wrong: the directory, the program, or its mode.
pub fn resolve(
    program: &str,
    cwd: &Path,
    env: &Environment,
) -> Result<PathBuf, Failure<SpawnFailure>> {
    match std::fs::metadata(cwd) {
        Ok(folder) if folder.is_dir() => {}
        Ok(_) => {
            return Err(Failure::new(
                SpawnFailure::MissingDirectory,
                format!("the working directory `{}` is no directory", cwd.display()),
            ));
        }
        _ => {
            return Err(Failure::new(
                SpawnFailure::MissingDirectory,
                format!("the working directory `{}` does not exist", cwd.display()),
            ));
        }
    }
    if program.contains(std::path::is_separator) {
        return at_path(program, &cwd.join(program));
    }
    let path = env.get("PATH").unwrap_or_default();
    which::which_in(program, Some(&path), cwd).map_err(|_| not_on_path(program, &path))
}

fn at_path(program: &str, path: &Path) -> Result<PathBuf, Failure<SpawnFailure>> {
    let failure = |kind, text: String| Err(Failure::new(kind, text));
    match std::fs::metadata(path) {
        Ok(file) if file.is_dir() => failure(
            SpawnFailure::IsDirectory,
            format!("`{program}` is a directory"),
        ),
        Ok(file) if !executable(&file) => failure(
            SpawnFailure::NotExecutable,
            format!("`{program}` is not executable"),
        ),
        Ok(_) => Ok(path.to_path_buf()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => failure(
            SpawnFailure::NotExecutable,
            format!("`{program}` cannot be reached: permission denied"),
        ),
        Err(_) if cfg!(windows) => which::which(path)
            .map_err(|_| Failure::new(SpawnFailure::MissingProgram, missing(program))),
        Err(_) => failure(SpawnFailure::MissingProgram, missing(program)),
    }
}

fn missing(program: &str) -> String {
    format!("there is no `{program}`")
}

/// A file of that name that cannot be executed is told apart from none at all.
fn not_on_path(program: &str, path: &std::ffi::OsStr) -> Failure<SpawnFailure> {
    let named = std::env::split_paths(path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file());
    match named {
        Some(file) => Failure::new(
            SpawnFailure::NotExecutable,
            format!("`{}` is not executable", file.display()),
        ),
        None => Failure::new(
            SpawnFailure::MissingProgram,
            format!("`{program}` is not on PATH"),
        ),
    }
}

#[cfg(unix)]
fn executable(file: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn executable(_: &std::fs::Metadata) -> bool {
    true
}

/// Says why a program that was found did not start.
pub(super) fn refused(program: &Path, cwd: &Path, error: &io::Error) -> Failure<SpawnFailure> {
    let name = program.display();
    if error.kind() == io::ErrorKind::NotFound && !cwd.is_dir() {
        let text = format!(
            "the working directory `{}` does not exist any more",
            cwd.display()
        );
        return Failure::new(SpawnFailure::MissingDirectory, text);
    }
    if let (io::ErrorKind::NotFound, Some(interpreter)) = (error.kind(), interpreter(program)) {
        if let Some(interpreter) = interpreter.strip_suffix('\r') {
            let text = format!(
                "`{name}` was written for Windows: its first line ends in a carriage return, so that `{interpreter}` is not found"
            );
            return Failure::new(SpawnFailure::NotExecutable, text);
        }
        let text = format!("`{name}` needs the interpreter `{interpreter}`, which does not exist");
        return Failure::new(SpawnFailure::MissingInterpreter, text);
    }
    let kind = match error.kind() {
        io::ErrorKind::NotFound => SpawnFailure::MissingInterpreter,
        io::ErrorKind::PermissionDenied => SpawnFailure::NotExecutable,
        io::ErrorKind::OutOfMemory | io::ErrorKind::WouldBlock => SpawnFailure::NoResources,
        _ => match error.raw_os_error() {
            // EMFILE and ENFILE; on Linux and macOS alike.
            Some(23 | 24) if cfg!(unix) => SpawnFailure::NoResources,
            // ENOEXEC: neither a program of this machine nor a script that names its interpreter.
            Some(8) if cfg!(unix) => SpawnFailure::NotExecutable,
            _ => SpawnFailure::Other,
        },
    };
    let what = match kind {
        SpawnFailure::NotExecutable => format!("`{name}` cannot be executed: {error}"),
        SpawnFailure::NoResources => {
            format!("the system gives no more processes or descriptors: {error}")
        }
        _ => format!("`{name}` did not start: {error}"),
    };
    Failure::new(kind, what)
}

/// The interpreter that a script's first line names.
fn interpreter(program: &Path) -> Option<String> {
    let mut start = [0; 256];
    let length = std::fs::File::open(program).ok()?.read(&mut start).ok()?;
    let line = start[..length]
        .strip_prefix(b"#!")?
        .split(|byte| *byte == b'\n')
        .next()?;
    // As the kernel reads it: a carriage return is a part of the name.
    String::from_utf8_lossy(line)
        .split([' ', '\t'])
        .find(|word| !word.is_empty())
        .map(str::to_string)
}

/// Whether the system refused only since somebody was still writing the program, which passes.
#[cfg(unix)]
pub(super) fn busy(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ExecutableFileBusy
}

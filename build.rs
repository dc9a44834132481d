//! Lists the files of `checks/` for the library that is built into the binary, so that a new check is one new file.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=checks");
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("checks");
    let mut names = fs::read_dir(&folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    names.retain(|name| name.ends_with(".toml"));
    names.sort();
    let mut code = String::from(
        "/// The definitions in `checks/`, by name.\npub const BUILT_IN: &[Definition] = &[\n",
    );
    for file in &names {
        let (name, path) = (file.trim_end_matches(".toml"), folder.join(file));
        writeln!(
            code,
            "    Definition {{ name: {name:?}, text: include_str!({path:?}) }},"
        )?;
    }
    code.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("library.rs"), code)?;
    Ok(())
}

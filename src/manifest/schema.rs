//! The JSON Schema of the manifest, draft-07, for editors. It is written by hand beside the code that reads; a test holds
//! the keys of both against each other.

use super::Library;

/// The schema, with what `use` and `reader` can name put in.
pub fn schema(library: &Library, readers: &[&str]) -> String {
    let words = |words: &[&str]| {
        let words = words
            .iter()
            .map(|word| serde_json::Value::from(*word).to_string());
        words.collect::<Vec<_>>().join(", ")
    };
    include_str!("schema.json")
        .replace("\"{library}\"", &words(&library.names()))
        .replace("\"{readers}\"", &words(readers))
}

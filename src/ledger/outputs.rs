//! What programs printed, kept once however often they print it: head and tail as they stand masked in the evidence,
//! addressed by their own digest, compressed.

use anyhow::{Context, Result};
use rusqlite::{Connection, OptionalExtension, params};

use super::digest;
use crate::domain::evidence::{Evidence, Stored};

/// From this length on (bytes), a text is kept apart from its evidence.
const APART: usize = 512;
/// zstd's level: a higher one takes twice the time and gains little.
const LEVEL: i32 = 1;

pub(super) fn compressed(bytes: &[u8]) -> Result<Vec<u8>> {
    zstd::bulk::compress(bytes, LEVEL).context("cannot compress")
}

pub(super) fn decompressed(data: &[u8]) -> Result<Vec<u8>> {
    zstd::stream::decode_all(data).context("it does not decompress")
}

/// Puts the long texts of evidence into their table; what is left of it has their digests.
pub(super) fn put_apart(evidence: &mut Evidence, run: &str, connection: &Connection) -> Result<()> {
    for stream in evidence.streams_mut() {
        if stream.head.len() + stream.tail.len() < APART {
            continue;
        }
        let (head, tail) = (
            std::mem::take(&mut stream.head),
            std::mem::take(&mut stream.tail),
        );
        let text = [head.as_bytes(), tail.as_bytes()].concat();
        let stored = Stored {
            digest: digest(&text),
            head: head.len() as u64,
        };
        let sql = "INSERT INTO outputs (digest, used, data) VALUES (?1, ?2, ?3)
                   ON CONFLICT (digest) DO UPDATE SET used = ?2, data = coalesce(data, ?3)";
        let known = "UPDATE outputs SET used = ?2 WHERE digest = ?1 AND data IS NOT NULL";
        let known = connection
            .prepare_cached(known)?
            .execute(params![stored.digest, run])?;
        if known == 0 {
            let data = compressed(&text)?;
            connection
                .prepare_cached(sql)?
                .execute(params![stored.digest, run, data])?;
        }
        stream.stored = Some(Box::new(stored));
    }
    Ok(())
}

/// Puts the texts back where they were; one that was pruned stays away.
pub(super) fn put_back(evidence: &mut Evidence, connection: &Connection) -> Result<()> {
    for stream in evidence.streams_mut() {
        let Some(stored) = &stream.stored else {
            continue;
        };
        let sql = "SELECT data FROM outputs WHERE digest = ?1";
        let mut select = connection.prepare_cached(sql)?;
        let data = select.query_row([&stored.digest], |row| row.get::<_, Option<Vec<u8>>>(0));
        let Some(data) = data.optional()?.flatten() else {
            continue;
        };
        let text = String::from_utf8(decompressed(&data)?).context("it is no text")?;
        anyhow::ensure!(
            digest(text.as_bytes()) == stored.digest,
            "its output was changed"
        );
        let (head, tail) = text
            .split_at_checked(stored.head as usize)
            .context("its output is cut at a wrong place")?;
        (stream.head, stream.tail) = (head.to_string(), tail.to_string());
        stream.stored = None;
    }
    Ok(())
}

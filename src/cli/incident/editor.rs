//! Writing a text in the user's editor: the file lies in the state directory, for its owner only, and stays there
//! until the text is saved.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use color_eyre::eyre::{Result, WrapErr as _, bail};

use super::super::{shown, state_dir};
use super::{STDIN_LIMIT, private_file};
use crate::store::database::sync_names;

/// The text that the user wrote, and the file that has it.
pub fn compose(directory: &Path) -> Result<(Vec<u8>, PathBuf)> {
    let path = new_draft(directory, b"").wrap_err("cannot make a file for the text; give it as an argument")?;
    let editor = ["VISUAL", "EDITOR"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
        .unwrap_or_else(|| "vi".to_owned());
    let Some((program, arguments)) = words(&editor).and_then(|w| w.split_first().map(|(p, a)| (p.clone(), a.to_vec())))
    else {
        bail!("the quotes in $EDITOR do not match: {}", crate::base::text::clean(&editor));
    };
    let status = Command::new(&program)
        .args(arguments)
        .arg(&path)
        .status()
        .wrap_err_with(|| format!("cannot run {}; set $EDITOR", crate::base::text::clean(&program)))?;
    let mut bytes = Vec::new();
    std::fs::File::open(&path)
        .and_then(|file| file.take(STDIN_LIMIT).read_to_end(&mut bytes))
        .wrap_err_with(|| format!("cannot read {}", shown(&path)))?;
    if bytes.trim_ascii().is_empty() {
        let _ = std::fs::remove_file(&path);
        bail!("the text is empty: nothing was saved");
    }
    if !status.success() {
        bail!("the editor ended with {status}: nothing was saved; the text is in {}", shown(&path));
    }
    Ok((bytes, path))
}

/// A new file in `drafts` with the text, on the disk.
pub fn new_draft(directory: &Path, text: &[u8]) -> std::io::Result<PathBuf> {
    let folder = directory.join("drafts");
    state_dir::prepare(directory).map_err(std::io::Error::other)?;
    state_dir::prepare(&folder).map_err(std::io::Error::other)?;
    let path = folder.join(format!("note-{}.txt", ulid::Ulid::new()));
    let mut file = private_file(&path)?;
    // It is about to be called kept: its name has to be on the disk too.
    let written = file.write_all(text).and_then(|()| file.sync_all()).and_then(|()| sync_names(&folder));
    if let Err(error) = written {
        // A part of a text must not pass for the whole.
        let _ = std::fs::remove_file(&path);
        return Err(error);
    }
    Ok(path)
}

/// Words as a shell would split them, without anything else that a shell does; `None` where quotes do not match.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        end if end == c => break,
                        '\\' if c == '"' => word.push(chars.next()?),
                        other => word.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next()?),
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_editor_with_arguments_is_split_and_not_given_to_a_shell() {
        let of = |text: &str| words(text).map(|w| w.join("|"));
        assert_eq!(of("vim -u NONE").as_deref(), Some("vim|-u|NONE"));
        assert_eq!(of("'/opt/my editor/run' --wait").as_deref(), Some("/opt/my editor/run|--wait"));
        assert_eq!(of(r#"emacs "a \" b" c\ d ''"#).as_deref(), Some("emacs|a \" b|c d|"));
        assert_eq!(of("vi; rm -rf $HOME `x`").as_deref(), Some("vi;|rm|-rf|$HOME|`x`"));
        assert_eq!(of("vi 'x"), None);
    }
}

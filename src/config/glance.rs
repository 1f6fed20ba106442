//! What a screen wants to know of a configuration before it has been read: a thousand hosts take milliseconds, and the
//! first frame does not wait for them. Hosts are blanked out by their lines, and the rest is read as ever. Where that might
//! not mean the same, there is no glance, and the whole is read first.

use std::path::Path;

use super::document;
use super::load::{self, SshOptions, UiOptions};

/// Whole configurations up to this size are read as fast as glanced at.
const SMALL: usize = 16 * 1024;

/// `[ui]` and `[ssh]` of a large file, as [`load::read`] would have them; `None` where it has to be asked.
pub fn glance(path: &Path) -> Option<(UiOptions, SshOptions)> {
    let text = load::read_text(path).ok()?;
    if text.len() <= SMALL {
        return None;
    }
    let (mut ui, ssh) = without_hosts(&path.display().to_string(), &text)?;
    ui.folder = path.parent().map(Path::to_path_buf);
    Some((ui, ssh))
}

fn without_hosts(name: &str, text: &str) -> Option<(UiOptions, SshOptions)> {
    // Only in a text of several lines can a line look like a header and be none.
    if text.contains("\"\"\"") || text.contains("'''") {
        return None;
    }
    // Empty lines in their stead leave every other thing in its line; behind the last of those nothing is needed.
    let (mut rest, mut empty) = (String::new(), 0);
    let mut in_host = false;
    for line in text.split_inclusive('\n') {
        if let Some(header) = line.trim_start().strip_prefix('[') {
            let header = header.trim_start_matches('[').trim_start();
            let name = header.split([']', '.', ' ', '\t']).next().unwrap_or_default();
            in_host = name == "host";
        }
        if in_host {
            empty += 1;
        } else {
            rest.extend(std::iter::repeat_n('\n', std::mem::take(&mut empty)));
            rest.push_str(line);
        }
    }
    let (root, syntax) = document::parse(name, rest);
    if !syntax.is_empty() {
        return None;
    }
    let mut reader = root.reader("the configuration");
    let (ui, ssh) = (reader.table("ui"), reader.table("ssh"));
    let mut problems = Vec::new();
    let ui = ui.map(|table| UiOptions::read(table, &mut problems)).unwrap_or_default();
    let ssh = ssh.map(|table| SshOptions::read(table, &mut problems)).unwrap_or_default();
    problems.is_empty().then_some((ui, ssh))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str =
        "[[host]]\nname = \"NAME\"\naddress = \"192.0.2.1\"\nsnmp = { version = \"2c\", community = \"c\" }\n\n";

    type Seen = (Option<(usize, usize)>, bool, Option<String>);

    fn told(ui: &UiOptions, ssh: &SshOptions) -> Seen {
        let place = ui.theme.place.as_ref().map(crate::base::options::Place::line_and_column);
        (place, ui.ascii, ssh.config.as_ref().map(|path| path.display().to_string()))
    }

    fn seen(text: &str) -> Option<Seen> {
        without_hosts("noctty.toml", text).map(|(ui, ssh)| told(&ui, &ssh))
    }

    #[test]
    fn it_sees_what_a_reader_of_the_whole_would_read_in_the_same_place() {
        let host = |name: &str| HOST.replace("NAME", name);
        let (a, b, c) = (host("a"), host("b"), host("c"));
        let between = format!("{a}[ui]\ntheme = \"light\"\nascii = true\n\n{b}[ssh]\nconfig = \"own\"\n{c}");
        let inline = format!("ui = {{ theme = \"light\" }}\nssh.config = \"/etc/x\"\n{a}");
        let lists = format!("{a}tags = [\n  \"x\",\n  \"y\",\n]\n[ui]\ntheme = \"dark\"\n{b}");
        let foreign = format!("{a}[ui]\r\ntheme = \"dark\" # [[host]] of the ümlaut\r\n{b}");
        for text in [between, inline, lists, foreign, a.clone(), a.trim_end().to_owned(), String::new()] {
            let config = load::parse("noctty.toml", text.clone()).expect("it is right");
            assert_eq!(seen(&text), Some(told(&config.ui, &config.ssh)), "{text}");
        }
    }

    #[test]
    fn where_lines_may_lie_there_is_no_glance() {
        assert_eq!(seen("[[maintenance]]\nnote = \"\"\"\n[ui]\nascii = true\n\"\"\"\n"), None);
        assert_eq!(seen("[[host]]\nparents = [\n[\"a\"],\n]\n"), None, "what is left over is no TOML");
        assert_eq!(seen("[ui]\nascii = 3\n"), None, "what is wrong is for the whole to say");
    }
}

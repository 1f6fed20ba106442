//! What a program did to the files below a folder, in the order in which the system did it, as strace tells it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// Everything that changes a file, a name, or what of both is safe. Paths are relative to the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// A file was opened and made where it was not there; `empty` cuts one that was.
    Open {
        path: PathBuf,
        empty: bool,
    },
    MakeDirectory(PathBuf),
    Write {
        path: PathBuf,
        at: Place,
        bytes: Vec<u8>,
    },
    Length {
        path: PathBuf,
        length: usize,
    },
    Remove(PathBuf),
    /// Whatever had the new name has none any more.
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    /// Of a file or a directory.
    Sync(PathBuf),
    /// The user was told something, on standard output or on the terminal.
    Say(Vec<u8>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    At(usize),
    End,
}

/// Calls that change files. The second half is not understood here: one of those on a file of ours is an error.
const TRACED: &str = "trace=openat,mkdir,write,pwrite64,ftruncate,unlink,rename,fsync,fdatasync,\
    open,creat,mkdirat,writev,pwritev,pwritev2,truncate,fallocate,copy_file_range,sendfile,splice,\
    renameat,renameat2,unlinkat,rmdir,link,linkat,symlink,symlinkat,sync,syncfs,sync_file_range";

/// The arguments for strace that make a file which [`calls`] reads; the program and its arguments come after them.
pub fn arguments(file: &Path) -> Vec<String> {
    let file = file.to_str().expect("a path of ours is UTF-8");
    ["-f", "--seccomp-bpf", "-y", "-xx", "-s", "10000000", "-e", TRACED, "-o", file].map(str::to_owned).to_vec()
}

/// Reads a trace. Threads are told apart; a call counts when it has returned.
pub fn calls(trace: &str, folder: &Path) -> Vec<Call> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut out = Vec::new();
    for line in trace.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if let Some(head) = rest.strip_suffix("<unfinished ...>") {
            begun.insert(thread, head.trim_end());
        } else if rest.starts_with("<... ") {
            let head = begun.remove(thread).unwrap_or_else(|| panic!("what {thread} resumes was never begun: {rest}"));
            let tail = rest.split_once("resumed>").unwrap_or_else(|| panic!("no call resumes in {rest}")).1;
            out.extend(call(&format!("{head}{tail}"), folder));
        } else {
            out.extend(call(rest, folder));
        }
    }
    out
}

fn call(line: &str, folder: &Path) -> Option<Call> {
    let (name, rest) = line.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    if result.starts_with('-') || result.starts_with('?') {
        return None;
    }
    let arguments: Vec<&str> = arguments.trim_end().strip_suffix(')')?.split(", ").collect();
    let ours = |path: Option<PathBuf>| path.and_then(|p| p.strip_prefix(folder).ok().map(Path::to_owned));
    let named = |at: usize| ours(Some(PathBuf::from(OsString::from_vec(quoted(arguments[at])))));
    let number = |at: usize| arguments[at].parse::<usize>().unwrap_or_else(|_| panic!("no number at {at}: {name}"));
    match name {
        "openat" => {
            let flags = arguments[2];
            let path = ours(descriptor(result)).filter(|_| flags.contains("O_CREAT") || flags.contains("O_TRUNC"))?;
            Some(Call::Open { path, empty: flags.contains("O_TRUNC") })
        }
        "mkdir" => named(0).map(Call::MakeDirectory),
        "unlink" => named(0).map(Call::Remove),
        "rename" => match (named(0), named(1)) {
            (Some(from), Some(to)) => Some(Call::Rename { from, to }),
            (None, None) => None,
            _ => panic!("the model of the disk does not know renames into or out of it: {line}"),
        },
        "write" | "pwrite64" => {
            let mut bytes = quoted(arguments[1]);
            bytes.truncate(result.parse().unwrap_or_else(|_| panic!("{name} returned {result}")));
            let path = descriptor(arguments[0])?;
            if let Some(path) = ours(Some(path.clone())) {
                let at = if name == "write" { Place::End } else { Place::At(number(3)) };
                return Some(Call::Write { path, at, bytes });
            }
            let told = arguments[0].starts_with("1<") || path.starts_with("/dev/pts");
            told.then_some(Call::Say(bytes))
        }
        "ftruncate" => ours(descriptor(arguments[0])).map(|path| Call::Length { path, length: number(1) }),
        "fsync" | "fdatasync" => ours(descriptor(arguments[0])).map(Call::Sync),
        _ => {
            let touched = arguments.iter().any(|a| {
                ours(descriptor(a)).is_some()
                    || (a.starts_with('"') && quoted(a).starts_with(folder.as_os_str().as_encoded_bytes()))
            });
            assert!(!touched, "the model of the disk does not know {name}: {line}");
            None
        }
    }
}

/// The path of a descriptor, as in `4<\x2f\x74>`; `None` where there is none, or it has been removed.
fn descriptor(text: &str) -> Option<PathBuf> {
    let (_, rest) = text.split_once('<')?;
    let (path, after) = rest.split_once('>')?;
    (after != "(deleted)").then(|| PathBuf::from(OsString::from_vec(bytes(path))))
}

/// A string, as in `"\x2f\x74"`.
fn quoted(text: &str) -> Vec<u8> {
    let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    bytes(inner.unwrap_or_else(|| panic!("no whole string: {text}")))
}

fn bytes(text: &str) -> Vec<u8> {
    let pairs = text.split("\\x").skip(1);
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap_or_else(|_| panic!("no hex digits: {pair}"))).collect()
}

#[test]
fn a_trace_of_two_threads_is_read_in_the_order_of_completion() {
    let hex = |text: &str| text.bytes().fold(String::new(), |out, b| format!("{out}\\x{b:02x}"));
    let (db, log, pts) = (hex("/t/s/db"), hex("/t/s/log"), hex("/dev/pts/3"));
    let trace = format!(
        "7 openat(AT_FDCWD<{0}>, \"{db}\", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 4<{db}>\n\
         7 pwrite64(4<{db}>, \"{1}\", 2, 512 <unfinished ...>\n\
         8 write(5<{log}>, \"{1}\", 2) = 1\n\
         7 <... pwrite64 resumed>) = 2\n\
         8 fdatasync(5<{log}>)             = 0\n\
         8 unlink(\"{log}\") = -1 ENOENT (No such file or directory)\n\
         8 ftruncate(5<{log}>(deleted), 3) = 0\n\
         8 rename(\"{db}\", \"{log}\") = 0\n\
         8 write(9<{pts}>, \"{1}\", 2) = 2\n\
         8 +++ exited with 0 +++\n",
        hex("/t"),
        hex("ab")
    );
    let log = PathBuf::from("log");
    assert_eq!(
        calls(&trace, Path::new("/t/s")),
        [
            Call::Open { path: "db".into(), empty: false },
            Call::Write { path: log.clone(), at: Place::End, bytes: b"a".to_vec() },
            Call::Write { path: "db".into(), at: Place::At(512), bytes: b"ab".to_vec() },
            Call::Sync(log.clone()),
            Call::Rename { from: "db".into(), to: log },
            Call::Say(b"ab".to_vec()),
        ]
    );
}

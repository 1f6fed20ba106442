//! A laboratory for SSH: a folder that serves as home, with keys and an ssh_config of its own, and Debian's own sshd
//! on loopback.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use noctty::ssh::{SshConfig, Surroundings};

pub const DEADLINE: Duration = Duration::from_secs(30);

/// A folder that serves as home, with keys, and servers that end with it. Whoever logs in has package lists of this folder, without a
/// single package: Debian's own are long, and apt-get reads for seconds in them. And it is no first shell (SHLVL), so that bash does not read
/// the `.bashrc` of whoever runs the tests, as it does for sshd.
pub struct Lab {
    pub home: tempfile::TempDir,
    pub user: String,
}

/// A process that is ended by its pid when the test is over.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A bash script in namespaces of its own, with the folder and the program as its arguments. What it prints goes to `log` there.
pub fn in_namespaces(folder: &Path, flags: &[&str], script: &str) -> Running {
    let log = fs::File::create(folder.join("log")).expect("a log");
    let lab = Command::new("unshare")
        .args(["--kill-child", "--fork"])
        .args(flags)
        .args(["/bin/bash", "-euc", script, "bash"])
        .arg(folder)
        .arg(env!("CARGO_BIN_EXE_noctty"))
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a second handle"))
        .stderr(log)
        .spawn();
    Running(lab.expect("unshare of util-linux runs"))
}

pub struct Sshd {
    pub address: &'static str,
    pub port: u16,
    pub process: Running,
}

impl Lab {
    pub fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        fs::create_dir(home.path().join(".ssh")).expect("made");
        let user = run(Command::new("id").arg("-un")).trim().to_owned();
        let lab = Self { home, user };
        lab.keygen("id", "");
        fs::write(lab.path("authorized_keys"), fs::read(lab.path("id.pub")).expect("read")).expect("written");
        fs::create_dir_all(lab.path("apt/partial")).expect("made");
        let sources = lab.path("sources.list");
        fs::write(&sources, "").expect("written");
        let apt = format!(
            "Dir::State::lists \"{}\";\nDir::Etc::sourcelist \"{}\";\nDir::Etc::sourceparts \"-\";\nAPT::Sandbox::User \"root\";\n",
            lab.path("apt").display(),
            sources.display()
        );
        fs::write(lab.path("apt.conf"), apt).expect("written");
        lab
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn keygen(&self, name: &str, passphrase: &str) {
        run(Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f"])
            .arg(self.path(name)));
    }

    pub fn authorize(&self, name: &str) {
        let key = fs::read_to_string(self.path(&format!("{name}.pub"))).expect("read");
        fs::write(self.path("authorized_keys"), key).expect("written");
    }

    /// A server with a host key of its own, `name`.
    pub fn sshd(&self, name: &str, address: &'static str, more: &str) -> Sshd {
        if !self.path(name).exists() {
            self.keygen(name, "");
        }
        // As root, sshd wants this folder; it is on a file system that is empty after each start.
        let _ = fs::create_dir_all("/run/sshd");
        let port = TcpListener::bind((address, 0)).expect("a free port").local_addr().expect("bound").port();
        let (file, log) = (self.path(&format!("{name}.conf")), self.path(&format!("{name}.log")));
        let text = format!(
            "{more}\nPort {port}\nListenAddress {address}\nHostKey {key}\nPidFile none\nUsePAM no\nStrictModes no\n\
             AuthorizedKeysFile {authorized}\nPermitRootLogin yes\nPasswordAuthentication no\nPrintMotd no\n\
             KbdInteractiveAuthentication no\nMaxStartups 400\nSetEnv APT_CONFIG={apt} SHLVL=1\n",
            apt = self.path("apt.conf").display(),
            key = self.path(name).display(),
            authorized = self.path("authorized_keys").display(),
        );
        fs::write(&file, text).expect("written");
        let log_file = fs::File::create(&log).expect("made");
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(log_file)
            .spawn()
            .expect("sshd starts");
        let sshd = Sshd { address, port, process: Running(child) };
        let begun = Instant::now();
        while TcpStream::connect((address, port)).is_err() {
            let said = fs::read_to_string(&log).unwrap_or_default();
            assert!(begun.elapsed() < DEADLINE, "sshd does not listen: {said}");
            std::thread::sleep(Duration::from_millis(20));
        }
        sshd
    }

    pub fn knows(&self, server: &Sshd, key: &str) {
        let key = fs::read_to_string(self.path(&format!("{key}.pub"))).expect("read");
        let mut words = key.split(' ');
        let line = format!(
            "[{}]:{} {} {}\n",
            server.address,
            server.port,
            words.next().expect("algorithm"),
            words.next().expect("key").trim()
        );
        let file = self.path(".ssh/known_hosts");
        let before = fs::read_to_string(&file).unwrap_or_default();
        fs::write(file, before + &line).expect("written");
    }

    pub fn config(&self, text: &str) -> SshConfig {
        let file = self.path(".ssh/config");
        let all = format!(
            "{text}\nHost *\n User {}\n GlobalKnownHostsFile none\n IdentityFile {}\n",
            self.user,
            self.path("id").display()
        );
        fs::write(&file, all).expect("written");
        let mut surroundings = Surroundings::with_home(self.home.path());
        surroundings.agent = None;
        SshConfig::from_file(&file, surroundings)
    }

    pub fn host(name: &str, server: &Sshd) -> String {
        format!("Host {name}\n HostName {}\n Port {}\n", server.address, server.port)
    }
}

pub fn run(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

use super::*;

fn machine(role: Role) -> Arc<Machine> {
    let clock = Clock::start();
    Arc::new(Machine {
        name: "db01".into(),
        address: Ipv4Addr::new(127, 64, 0, 1),
        role,
        booted: clock.now().minus(std::time::Duration::from_secs(90_000)),
        seed: 7,
    })
}

fn shell(columns: u32) -> Shell {
    Shell::new(machine(Role::Server), Clock::start(), Some(Window::new(columns, 24)))
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.output.clone()).expect("text")
}

/// What stands in the last line after these keys: as a terminal shows it.
fn line(keys: &[u8]) -> String {
    let mut shell = shell(60);
    let reply = shell.input(keys);
    let out = text(&reply);
    let last = out.rsplit('\r').next().expect("a line");
    last.strip_prefix("ops@db01:~$ ").expect("a prompt").replace("\x1b[K", "|")
}

fn said(command: &str) -> (String, u32) {
    let mut shell = Shell::new(machine(Role::Server), Clock::start(), None);
    let reply = shell.run_once(command);
    (text(&reply) + &String::from_utf8(reply.errors).expect("text"), reply.ended.expect("it ends"))
}

#[test]
fn a_greeting_says_that_nothing_here_is_real_and_a_prompt_names_the_machine() {
    let greeting = text(&shell(80).begin());
    assert!(greeting.contains("db01 is simulated by noctty demo"), "{greeting}");
    assert!(greeting.ends_with("\rops@db01:~$ \x1b[K"), "{greeting:?}");
    assert!(!greeting.replace("\r\n", "").contains('\n'), "{greeting:?}");
}

#[test]
fn lines_are_edited_as_in_a_shell() {
    assert_eq!(line(b"helo\x7flo"), "hello|");
    assert_eq!(line(b"hello\x15bye"), "bye|");
    assert_eq!(line(b"one two\x17three"), "one three|");
    assert_eq!(line(b"helo\x1b[Dl"), "hello|\x1b[1D");
    assert_eq!(line(b"ello\x1b[Hh"), "hello|\x1b[4D");
    assert_eq!(line(b"hello\x01\x1b[3~\x05!"), "ello!|");
    assert_eq!(line(b"hello\x02\x02\x0b"), "hel|");
    assert_eq!(line("grü\x7füße".as_bytes()), "grüße|");
    assert_eq!(line(b"lost\x03kept"), "kept|");
    assert_eq!(line(b"\xff\xfea\x1b[1;5C\x1bOA"), "a|");
}

#[test]
fn lines_that_were_run_come_back() {
    assert_eq!(line(b"hostname\ruptime\r\x1b[A\x1b[A"), "hostname|");
    assert_eq!(line(b"hostname\ruptime\r\x1b[A\x1b[A\x1b[B"), "uptime|");
    assert_eq!(line(b"hostname\rtyped\x1bOA\x1bOB"), "typed|");
}

#[test]
fn a_line_longer_than_the_window_is_shown_around_the_cursor_and_follows_a_new_size() {
    let mut shell = shell(30);
    let out = text(&shell.input(b"echo 0123456789 0123456789"));
    let last = out.rsplit('\r').next().expect("a line").to_owned();
    assert_eq!(last, "ops@db01:~$ 456789 0123456789\x1b[K");
    let out = text(&shell.resize(Window::new(80, 24)));
    assert!(out.contains("echo 0123456789 0123456789"), "{out:?}");
    assert_eq!(shell.resize(Window::new(80, 24)), Reply::default());
    let out = text(&shell.input(b"\rstty size\r"));
    assert!(out.contains("24 80\r\n"), "{out:?}");
}

#[test]
fn the_end_of_file_ends_an_empty_line_only_and_passes_the_status_on() {
    let mut shell = shell(60);
    assert_eq!(shell.input(b"x\x04").ended, None);
    assert_eq!(shell.input(b"\x7f\x04").ended, Some(0));
    assert_eq!(shell_after(b"nonsense\r\x04").ended, Some(127));
    assert_eq!(shell_after(b"exit 7\r").ended, Some(7));
    assert_eq!(shell_after(b"exit seven\r").ended, None);
    // What was typed after the end goes nowhere.
    assert!(!text(&shell_after(b"exit\rhostname\r")).contains("\r\ndb01"));
}

fn shell_after(keys: &[u8]) -> Reply {
    shell(60).input(keys)
}

#[test]
fn commands_answer_with_what_the_machine_is() {
    assert_eq!(said("hostname"), ("db01\n".into(), 0));
    assert_eq!(said("cat hostname"), ("db01\n".into(), 0));
    assert!(said("cat motd").0.contains("simulated"));
    assert!(said("cat /etc/hosts").0.contains("127.64.0.1 db01"));
    assert_eq!(said("cat nothing").1, 1);
    assert!(said("uptime").0.contains("up 1 days,  1:00"), "{:?}", said("uptime"));
    assert!(said("ps").0.contains("postgres"));
    assert_eq!(said("ls").0, "hostname  hosts  motd\n");
    let (words, status) = said("rm -rf /");
    assert!(words.contains("rm: not a command here") && words.contains("help") && status == 127, "{words}");
    assert_eq!(said("   "), (String::new(), 0));
}

#[test]
fn the_help_lists_every_command_and_each_of_them_is_known() {
    for role in [Role::Server, Role::Switch { ports: 24 }] {
        let run = |command: &str| Shell::new(machine(role), Clock::start(), None).run_once(command);
        let help = text(&run("help"));
        for name in help.lines().filter_map(|line| line.split_whitespace().next()) {
            let errors = run(name).errors;
            assert!(!String::from_utf8_lossy(&errors).contains("not a command"), "{name}");
        }
        assert!(help.lines().count() >= 6, "{help}");
    }
}

#[test]
fn a_switch_has_its_own_prompt_and_words() {
    let mut shell = Shell::new(machine(Role::Switch { ports: 28 }), Clock::start(), Some(Window::new(80, 24)));
    let out = text(&shell.input(b"show version\r"));
    assert!(out.contains("28 ports") && out.ends_with("\rdb01#\x1b[K"), "{out:?}");
    assert!(text(&shell.input(b"ps\r")).contains("not a command here"));
}

#[test]
fn without_a_terminal_nothing_is_echoed_and_errors_go_their_own_way() {
    let mut shell = Shell::new(machine(Role::Server), Clock::start(), None);
    assert_eq!(shell.begin(), Reply::default());
    let reply = shell.input(b"hostname\nnonsense\n");
    assert_eq!(reply.output, b"db01\n");
    assert!(String::from_utf8_lossy(&reply.errors).contains("nonsense"));
    assert_eq!(shell.input(b"exit 4"), Reply::default());
    assert_eq!(shell.end_of_input().ended, Some(4));
}

#[test]
fn a_line_has_an_end_even_where_nobody_presses_enter() {
    let mut shell = shell(60);
    for _ in 0..100 {
        shell.input(&[b'x'; 1_000]);
    }
    assert_eq!(shell.line.len(), LINE_LIMIT);
}

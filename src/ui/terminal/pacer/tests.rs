//! The pacer against a simulated line: a rate, a round trip, and a terminal that answers each query as it comes to it.

use ratatui::layout::Rect;

use super::*;

struct Line {
    /// Bytes per second.
    rate: f64,
    round_trip: Duration,
    free_at: Instant,
    /// When the reply to each chunk is back.
    replies: VecDeque<Instant>,
    /// When each chunk was shown, and how old it was then.
    shown: Vec<(Instant, Duration)>,
}

impl Line {
    fn new(bits: f64, round_trip: Duration, now: Instant) -> Self {
        Self { rate: bits / 8.0, round_trip, free_at: now, replies: VecDeque::new(), shown: Vec::new() }
    }

    fn carry(&mut self, bytes: usize, now: Instant) {
        let begin = self.free_at.max(now);
        self.free_at = begin + Duration::from_secs_f64(bytes as f64 / self.rate);
        let at = self.free_at + self.round_trip / 2;
        self.shown.push((at, at - now));
        self.replies.push_back(at + self.round_trip / 2);
    }
}

fn picture(width: u16, height: u16, seed: usize) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    for y in 0..height {
        let letters =
            (0..width).map(|x| char::from(b'a' + ((seed * 7 + usize::from(x) * 3 + usize::from(y)) % 26) as u8));
        let line: String = format!("{seed}:{y}:").chars().chain(letters).take(usize::from(width)).collect();
        buffer.set_string(0, y, line, ratatui::style::Style::new());
    }
    buffer
}

/// Runs a busy screen (a new picture every 100 ms) for a time, and gives the ages of what was shown.
fn busy(line: &mut Line, start: Instant, secs: u64) -> Vec<Duration> {
    drawn(line, start, secs, |seed| picture(120, 40, seed))
}

/// The same with other pictures, by their numbers.
fn drawn(line: &mut Line, start: Instant, secs: u64, picture: impl Fn(usize) -> Buffer) -> Vec<Duration> {
    let mut pacer = Pacer::new(Colours::True);
    let mut now = start;
    let end = start + Duration::from_secs(secs);
    let mut seed = 0;
    let mut next_picture = start;
    while now < end {
        while line.replies.front().is_some_and(|at| *at <= now) {
            line.replies.pop_front();
            pacer.acknowledge(Fence::Status, now);
        }
        if now >= next_picture {
            pacer.show(picture(seed), None, None);
            seed += 1;
            next_picture += Duration::from_millis(100);
        }
        while let Some(bytes) = pacer.chunk(now) {
            line.carry(bytes.len(), now);
        }
        now += Duration::from_millis(5);
    }
    line.shown.iter().map(|(_, age)| *age).collect()
}

#[test]
fn on_a_slow_line_nothing_shown_is_older_than_a_second_for_ever() {
    let start = Instant::now();
    let mut line = Line::new(64_000.0, Duration::from_millis(300), start);
    let ages = busy(&mut line, start, 120);
    let worst = ages.iter().max().copied().unwrap_or_default();
    assert!(ages.len() > 100, "{} chunks", ages.len());
    assert!(worst < Duration::from_millis(800), "{worst:?}");
    let carried = line.shown.len();
    assert!(carried > 200, "the line is used: {carried} chunks");
}

#[test]
fn after_a_quiet_minute_what_bursts_is_no_older_than_on_a_busy_screen() {
    let start = Instant::now();
    let mut line = Line::new(64_000.0, Duration::from_millis(300), start);
    // A line changes now and then, until all does.
    let ages = drawn(&mut line, start, 62, |seed| {
        let mut buffer = picture(120, 40, if seed < 600 { 0 } else { seed });
        if seed < 600 {
            buffer.set_string(0, 3, format!("{seed}"), ratatui::style::Style::new());
        }
        buffer
    });
    let worst = ages.iter().max().copied().unwrap_or_default();
    assert!(ages.len() > 150 && worst < Duration::from_millis(800), "{} chunks, {worst:?}", ages.len());
}

#[test]
fn at_9600_bits_the_first_rows_are_there_within_two_seconds() {
    let start = Instant::now();
    let mut line = Line::new(9_600.0, Duration::from_millis(20), start);
    let ages = busy(&mut line, start, 60);
    let worst = ages.iter().max().copied().unwrap_or_default();
    assert!(worst < Duration::from_millis(1_500), "{worst:?}");
    assert!(line.shown[0].0 - start < Duration::from_secs(1));
}

#[test]
fn a_fast_terminal_gets_the_whole_screen_at_once() {
    let start = Instant::now();
    let mut line = Line::new(1e9, Duration::from_micros(200), start);
    let mut pacer = Pacer::new(Colours::True);
    pacer.show(picture(200, 60, 1), None, None);
    let mut now = start;
    while !pacer.is_idle() && now < start + Duration::from_secs(1) {
        while line.replies.front().is_some_and(|at| *at <= now) {
            line.replies.pop_front();
            pacer.acknowledge(Fence::Status, now);
        }
        while let Some(bytes) = pacer.chunk(now) {
            line.carry(bytes.len(), now);
        }
        now += Duration::from_micros(100);
    }
    assert!(pacer.is_idle());
    assert!(now - start < Duration::from_millis(10), "{:?}", now - start);
}

#[test]
fn the_rows_that_answer_a_key_go_first() {
    let now = Instant::now();
    let mut pacer = Pacer::new(Colours::True);
    pacer.show(picture(80, 24, 1), None, None);
    while let Some(_bytes) = pacer.chunk(now) {
        pacer.acknowledge(Fence::Status, now);
    }
    pacer.window = FIRST_WINDOW;
    pacer.show(picture(80, 24, 2), None, Some(17..18));
    let bytes = pacer.chunk(now).expect("something to send");
    let text = String::from_utf8(bytes).expect("ASCII");
    let first =
        text.strip_prefix("\x1b[?2026h\x1b[").and_then(|t| t.split_once(['H', ';'])).map(|(row, _)| row.to_owned());
    assert_eq!(first.as_deref(), Some("18"), "{text:?}");
}

#[test]
fn rows_that_were_not_sent_are_taken_from_the_newest_picture() {
    let now = Instant::now();
    let mut pacer = Pacer::new(Colours::True);
    pacer.show(picture(80, 24, 1), None, None);
    let _first = pacer.chunk(now).expect("the first rows");
    assert!(!pacer.is_idle());
    pacer.show(picture(80, 24, 2), None, None);
    let mut rest = Vec::new();
    for i in 0..200 {
        let later = now + Duration::from_millis(i);
        pacer.acknowledge(Fence::Status, later);
        if let Some(bytes) = pacer.chunk(later) {
            rest.extend(bytes);
        }
    }
    assert!(pacer.is_idle());
    assert_eq!(pacer.shown, Some(picture(80, 24, 2)));
    let stale: String =
        picture(80, 24, 1).content[80 * 20..80 * 21].iter().map(ratatui::buffer::Cell::symbol).collect();
    assert!(!String::from_utf8_lossy(&rest).contains(&stale));
}

#[test]
fn a_terminal_that_never_answers_is_neither_flooded_nor_given_up() {
    let start = Instant::now();
    let mut pacer = Pacer::new(Colours::True);
    let mut now = start;
    let mut sent = 0;
    for tick in 0..2_000 {
        if tick % 10 == 0 {
            pacer.show(picture(120, 40, tick), None, None);
        }
        while let Some(bytes) = pacer.chunk(now) {
            sent += bytes.len();
        }
        now += Duration::from_millis(10);
    }
    let seconds = (now - start).as_secs_f64();
    assert!((sent as f64) < BLIND_RATE * seconds * 1.1, "{sent} bytes in {seconds} s");
    assert!(sent > 50_000, "{sent}");
    assert_eq!(pacer.round_trip(), None);
}

#[test]
fn an_unchanged_picture_sends_nothing() {
    let now = Instant::now();
    let mut pacer = Pacer::new(Colours::True);
    pacer.show(picture(80, 24, 1), None, None);
    while pacer.chunk(now).is_some() {
        pacer.acknowledge(Fence::Status, now);
    }
    pacer.show(picture(80, 24, 1), None, None);
    assert_eq!(pacer.chunk(now), None);
    assert!(pacer.is_idle());
}

#[test]
fn a_clip_goes_whole_and_alone_and_is_waited_for_as_long_as_a_slow_line_needs() {
    let start = Instant::now();
    let mut pacer = Pacer::new(Colours::True);
    pacer.show(picture(80, 24, 1), None, None);
    while pacer.chunk(start).is_some() {
        pacer.acknowledge(Fence::Status, start);
    }
    let clip = Clip::new(&"x".repeat(30_000)).expect("not too much");
    pacer.copy(&clip);
    assert!(!pacer.is_idle());
    let sent = pacer.chunk(start).expect("it goes without a new picture");
    assert!(sent.starts_with(&clip.bytes()) && sent.ends_with(Fence::Status.query()));
    // 40,000 bytes at 960 a second.
    let later = start + Duration::from_secs(42);
    pacer.window = SMALLEST;
    pacer.show(picture(80, 24, 2), None, None);
    assert_eq!(pacer.chunk(later), None, "nothing follows before it has arrived");
    assert!(matches!(pacer.answers, Answers::By(_)), "the terminal is not given up");
    pacer.acknowledge(Fence::Status, later);
    let next = pacer.chunk(later).expect("the picture");
    assert!(!next.windows(5).any(|w| w == b"\x1b]52;"), "once");
}

/// A terminal that answers as it pleases.
struct Scripted<F> {
    /// The replies to a query, each with its delay.
    script: F,
    queries: usize,
    replies: Vec<(Instant, usize, Fence)>,
}

impl<F: FnMut(usize, Fence) -> Vec<(Duration, Fence)>> Scripted<F> {
    fn new(script: F) -> Self {
        Self { script, queries: 0, replies: Vec::new() }
    }

    fn read(&mut self, bytes: &[u8], now: Instant) {
        for at in 0..bytes.len() {
            let asked =
                [Fence::Status, Fence::Cursor, Fence::Mode].into_iter().find(|f| bytes[at..].starts_with(f.query()));
            let Some(fence) = asked else { continue };
            for (delay, fence) in (self.script)(self.queries, fence) {
                self.replies.push((now + delay, self.queries, fence));
            }
            self.queries += 1;
        }
    }

    fn due(&mut self, now: Instant) -> Vec<Fence> {
        self.replies.sort_by_key(|(at, number, _)| (*at, *number));
        let count = self.replies.iter().take_while(|(at, ..)| *at <= now).count();
        self.replies.drain(..count).map(|(.., fence)| fence).collect()
    }
}

/// What became of a screen that was busy for some seconds: when the last picture was out, and what was sent by then.
struct Outcome {
    pacer: Pacer,
    idle_after: Option<Duration>,
    sent: usize,
    asked_for_mode: usize,
}

/// A new picture every 100 ms for `busy`, then nothing more, and `rest` to bring the last one out. A terminal that has
/// fallen silent need not have it by then, but soon after it is back, with what it was asked last lost, and a key is pressed.
fn run(script: impl FnMut(usize, Fence) -> Vec<(Duration, Fence)>, busy: Duration, rest: Duration) -> Outcome {
    run_at((120, 40), script, busy, rest)
}

/// The same on a terminal of another size.
fn run_at(
    (columns, rows): (u16, u16),
    script: impl FnMut(usize, Fence) -> Vec<(Duration, Fence)>,
    busy: Duration,
    rest: Duration,
) -> Outcome {
    let picture = |seed| picture(columns, rows, seed);
    let start = Instant::now();
    let mut terminal = Scripted::new(script);
    let mut out = Outcome { pacer: Pacer::new(Colours::True), idle_after: None, sent: 0, asked_for_mode: 0 };
    let step = Duration::from_millis(5);
    let mut now = start;
    let mut seed = 0;
    while now < start + busy + rest {
        for fence in terminal.due(now) {
            out.pacer.acknowledge(fence, now);
        }
        if now < start + busy && seed < usize::try_from((now - start).as_millis()).expect("small") / 100 + 1 {
            out.pacer.show(picture(seed), Some((3, 2)), None);
            seed += 1;
        }
        while let Some(bytes) = out.pacer.chunk(now) {
            out.sent += bytes.len();
            out.asked_for_mode += bytes.windows(9).filter(|w| *w == Fence::Mode.query()).count();
            terminal.read(&bytes, now);
        }
        if out.pacer.is_idle() && now >= start + busy {
            out.idle_after.get_or_insert(now.saturating_duration_since(start + busy));
        }
        now += step;
    }
    if matches!(out.pacer.answers, Answers::None { silence: Silence::Fallen { .. }, .. }) {
        let back = now;
        out.pacer.show(picture(seed - 1), Some((3, 2)), Some(0..2));
        while now < back + LONGEST_ANSWER_PAUSE + LONGEST_SETTLING + Duration::from_secs(15) {
            while let Some(bytes) = out.pacer.chunk(now) {
                if contains(&bytes, Fence::Status.query()) {
                    out.pacer.acknowledge(Fence::Status, now);
                }
            }
            now += step;
        }
        out.idle_after = out.pacer.is_idle().then_some(rest);
    }
    assert_eq!(out.pacer.shown, (seed > 0).then(|| picture(seed - 1)), "the last picture is out");
    out
}

const MS: Duration = Duration::from_millis(1);

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|at| at == part)
}

#[test]
fn whichever_query_a_terminal_answers_paces_the_output() {
    for answered in [Fence::Status, Fence::Cursor, Fence::Mode] {
        let script = |_, asked| if asked == answered { vec![(MS, asked)] } else { Vec::new() };
        let out = run(script, Duration::from_secs(10), Duration::from_secs(2));
        assert_eq!(out.pacer.answers, Answers::By(answered));
        let trip = out.pacer.round_trip().expect("a round trip");
        assert!(trip <= MS * 6, "{answered:?}: {trip:?}");
        assert!(out.idle_after.is_some_and(|after| after < MS * 50), "{answered:?}: {:?}", out.idle_after);
        // All hundred pictures came out, so it is not the low rate of a terminal that does not answer.
        assert!(out.sent > 250_000, "{answered:?}: {}", out.sent);
        assert!(answered == Fence::Mode || out.asked_for_mode == 0, "{}", out.asked_for_mode);
    }
}

#[test]
fn the_query_that_some_terminals_print_is_tried_three_times_and_its_row_drawn_anew() {
    let out = run(|_, _| Vec::new(), Duration::from_secs(8), Duration::from_secs(3));
    assert_eq!((out.asked_for_mode, out.pacer.spoiled), (3, None));
    assert!(matches!(out.pacer.answers, Answers::None { .. }));
}

#[test]
fn answers_that_are_late_are_learned_and_none_is_taken_for_a_later_one() {
    for late in [2, 5, 9].map(Duration::from_secs) {
        let out = run(|_, asked| vec![(late, asked)], Duration::from_secs(60), Duration::from_secs(60));
        assert_eq!(out.pacer.answers, Answers::By(Fence::Status), "{late:?}");
        let trip = out.pacer.round_trip().expect("a round trip");
        assert!(trip >= late && trip <= late + MS * 10, "{trip:?} measured for {late:?}");
    }
}

#[test]
fn answers_that_come_twice_or_in_another_order_wedge_nothing() {
    let twice = run(|_, asked| vec![(MS, asked), (MS * 2, asked)], Duration::from_secs(5), Duration::from_secs(5));
    assert!(matches!(twice.pacer.answers, Answers::By(_)) && !twice.pacer.is_owed(Instant::now()));
    // The second of two queries is answered before the first.
    let swapped = |n: usize, asked| vec![(if n.is_multiple_of(2) { MS * 40 } else { MS * 10 }, asked)];
    let out = run(swapped, Duration::from_secs(5), Duration::from_secs(5));
    assert!(out.idle_after.is_some_and(|after| after < Duration::from_secs(2)), "{:?}", out.idle_after);
    assert!(out.pacer.round_trip().is_some());
}

#[test]
fn a_terminal_that_falls_silent_and_comes_back_as_another_is_paced_by_what_that_one_answers() {
    // Detached after a hundred queries; some later, one that knows the cursor only.
    let script = |n: usize, asked| match (n, asked) {
        (0..100, Fence::Status) | (112.., Fence::Cursor) => vec![(MS, asked)],
        _ => Vec::new(),
    };
    let out = run(script, Duration::from_secs(60), Duration::from_secs(30));
    assert_eq!(out.pacer.answers, Answers::By(Fence::Cursor));
    assert!(out.pacer.round_trip().is_some_and(|trip| trip <= MS * 6));
}

/// What waits for a reader that stalls is shown before what is new: a minute of it is a few rows. Who presses a key is there.
#[test]
fn a_terminal_that_answered_and_reads_no_more_gets_few_rows_and_a_key_is_answered_at_once() {
    let start = Instant::now();
    let mut pacer = Pacer::new(Colours::True);
    let mut now = start;
    let mut pictures = 0;
    let mut sent = 0;
    while now < start + Duration::from_secs(70) {
        pictures += 1;
        pacer.show(list(0, 3, pictures), None, None);
        while let Some(chunk) = pacer.chunk(now) {
            if now < start + Duration::from_secs(2) {
                pacer.acknowledge(Fence::Status, now);
            } else {
                sent += chunk.len();
            }
        }
        now += MS * 250;
    }
    let whole = {
        let mut other = Pacer::new(Colours::True);
        other.show(list(0, 3, 1), None, None);
        other.window = LARGEST;
        other.chunk(now).expect("a picture").len()
    };
    assert!((whole / 2..3 * whole).contains(&sent), "{sent} bytes, a picture has {whole}");
    assert!(!pacer.is_open(now), "it rests");
    pacer.show(list(0, 4, 0), None, Some(3..5));
    let answer = pacer.chunk(now).expect("the rows that answer");
    assert!(answer.windows(4).any(|part| part == b"\x1b[4H"), "{:?}", String::from_utf8_lossy(&answer));
    pacer.forget();
    assert!(pacer.wake_at(true).is_some_and(|at| at <= now + Duration::from_secs(1)), "another size is drawn");
}

#[test]
fn a_terminal_that_reads_again_is_paced_as_before_as_soon_as_it_has_read_what_waited() {
    let start = Instant::now();
    let mut pacer = Pacer::new(Colours::True);
    let mut now = start;
    let mut waiting = 0;
    let mut pictures = 0;
    while now < start + Duration::from_secs(60) {
        pictures += 1;
        pacer.show(list(0, 3, pictures), None, (pictures % 9 == 0).then_some(3..4));
        while let Some(chunk) = pacer.chunk(now) {
            if now < start + Duration::from_secs(2) {
                pacer.acknowledge(Fence::Status, now);
            } else {
                waiting += usize::from(contains(&chunk, Fence::Status.query()));
            }
        }
        now += MS * 250;
    }
    assert!(waiting > 3, "{waiting}");
    for left in (0..waiting).rev() {
        assert!(!matches!(pacer.answers, Answers::By(_)), "{left} answers are late");
        pacer.acknowledge(Fence::Status, now);
    }
    assert_eq!(pacer.answers, Answers::By(Fence::Status));
    pacer.show(list(0, 3, 1), None, None);
    assert!(pacer.chunk(now).is_some());
}

#[test]
fn the_cursor_is_asked_for_away_from_the_first_row_and_goes_back() {
    let now = Instant::now();
    let mut pacer = Pacer::new(Colours::True);
    pacer.show(picture(20, 5, 1), Some((3, 0)), None);
    let text = String::from_utf8(pacer.chunk(now).expect("something to send")).expect("ASCII");
    assert!(text.ends_with("\x1b[5n\x1b[5H\x1b[6n\x1b[1;4H"), "{text:?}");
    let mut low = Pacer::new(Colours::True);
    low.show(picture(20, 1, 1), None, None);
    let text = String::from_utf8(low.chunk(now).expect("something to send")).expect("ASCII");
    assert!(text.ends_with("\x1b[5n"), "no row but the first: {text:?}");
}

mod any_terminal {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]

        /// Whatever is answered, lost, late, repeated or mixed up: the last picture comes out, and at no less than the low rate.
        #[test]
        fn brings_the_last_picture_out(
            script in proptest::collection::vec(proptest::collection::vec((0u64..12_000, 0usize..3), 0..3), 1..40)
        ) {
            let script = |n: usize, _| {
                let replies = script[n % script.len()].iter();
                replies.map(|(ms, f)| (MS * (*ms as u32), [Fence::Status, Fence::Cursor, Fence::Mode][*f])).collect()
            };
            // A small terminal: the low rate brings its picture out in a quarter of the time.
            let out = run_at((60, 20), script, Duration::from_secs(15), Duration::from_secs(30));
            prop_assert!(out.idle_after.is_some());
        }
    }
}

/// A terminal that nobody here wrote, to tell what the bytes make of a screen.
struct Emulator {
    term: alacritty_terminal::Term<alacritty_terminal::event::VoidListener>,
    parser: alacritty_terminal::vte::ansi::Processor,
}

impl Emulator {
    fn new(width: usize, height: usize) -> Self {
        let size = alacritty_terminal::term::test::TermSize::new(width, height);
        let term = alacritty_terminal::Term::new(
            alacritty_terminal::term::Config::default(),
            &size,
            alacritty_terminal::event::VoidListener,
        );
        Self { term, parser: alacritty_terminal::vte::ansi::Processor::new() }
    }

    fn lines(&self) -> Vec<String> {
        use alacritty_terminal::grid::Dimensions as _;
        use alacritty_terminal::index::{Column, Line};
        let grid = self.term.grid();
        let row = |y: i32| (0..grid.columns()).map(|x| grid[Line(y)][Column(x)].c).collect::<String>();
        (0..i32::try_from(grid.screen_lines()).expect("small")).map(|y| row(y).trim_end().to_owned()).collect()
    }
}

/// A list of numbered lines in a frame: where it is scrolled to, which line is selected, what the clock shows.
fn list(top: usize, selected: usize, clock: usize) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 40, 16));
    let style = ratatui::style::Style::new();
    buffer.set_string(0, 0, format!("hosts {clock}"), style);
    for y in 1..15u16 {
        let line = top + usize::from(y);
        let mark = if line == selected { ">" } else { " " };
        let age = if line.is_multiple_of(5) { clock } else { 7 };
        buffer.set_string(0, y, format!("{mark} host{line:03} answered in {}.{}ms", line % 9, line % 7), style);
        buffer.set_string(36, y, format!("{age:2}s"), style);
    }
    buffer.set_string(0, 15, "Enter opens", style);
    buffer
}

#[test]
fn a_list_that_scrolls_by_a_line_costs_a_line() {
    let now = Instant::now();
    let mut pacer = Pacer::new(Colours::True);
    let mut sent = |picture: Buffer| {
        pacer.show(picture, None, None);
        let mut bytes = 0;
        while let Some(chunk) = pacer.chunk(now) {
            bytes += chunk.len();
            pacer.acknowledge(Fence::Status, now);
        }
        bytes
    };
    let whole = sent(list(0, 14, 1));
    let line = sent(list(1, 15, 1));
    assert!(whole > 500 && line < 140, "{whole} bytes, then {line}");
}

proptest::proptest! {
    #[test]
    fn whatever_scrolls_the_terminal_ends_with_the_newest_picture(
        steps in proptest::collection::vec((0usize..60, 0usize..60, 0usize..99, 0usize..4), 1..30),
    ) {
        let now = Instant::now();
        let mut pacer = Pacer::new(Colours::True);
        let mut emulator = Emulator::new(40, 16);
        for (top, selected, clock, chunks) in steps {
            let picture = list(top, selected, clock);
            pacer.show(picture.clone(), None, None);
            // Some pictures are overtaken on their way.
            let all = chunks == 3;
            let mut left = chunks;
            while all || left > 0 {
                left = left.saturating_sub(1);
                pacer.window = SMALLEST;
                let Some(chunk) = pacer.chunk(now) else { break };
                emulator.parser.advance(&mut emulator.term, &chunk);
                pacer.acknowledge(Fence::Status, now);
            }
            if pacer.is_idle() {
                let wanted: Vec<String> = (0..16u16)
                    .map(|y| (0..40u16).map(|x| picture[(x, y)].symbol()).collect::<String>().trim_end().to_owned())
                    .collect();
                proptest::prop_assert_eq!(emulator.lines(), wanted);
            }
        }
    }
}

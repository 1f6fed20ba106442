//! The shipped themes can be read by everybody; wrong ones say where they are wrong.

use super::colour::{linear, luminance};
use super::*;

type Rgb = (u8, u8, u8);

/// Backgrounds that people have, of both kinds.
const DARK: [Rgb; 3] = [(0, 0, 0), (30, 30, 30), (40, 44, 52)];
const LIGHT: [Rgb; 3] = [(255, 255, 255), (253, 246, 227), (238, 232, 213)];
/// The sixteen colours as xterm and as the VGA text mode have them.
const PALETTES: [[Rgb; 16]; 2] = [
    [
        (0, 0, 0),
        (205, 0, 0),
        (0, 205, 0),
        (205, 205, 0),
        (0, 0, 238),
        (205, 0, 205),
        (0, 205, 205),
        (229, 229, 229),
        (127, 127, 127),
        (255, 0, 0),
        (0, 255, 0),
        (255, 255, 0),
        (92, 92, 255),
        (255, 0, 255),
        (0, 255, 255),
        (255, 255, 255),
    ],
    [
        (0, 0, 0),
        (170, 0, 0),
        (0, 170, 0),
        (170, 85, 0),
        (0, 0, 170),
        (170, 0, 170),
        (0, 170, 170),
        (170, 170, 170),
        (85, 85, 85),
        (255, 85, 85),
        (85, 255, 85),
        (255, 255, 85),
        (85, 85, 255),
        (255, 85, 255),
        (85, 255, 255),
        (255, 255, 255),
    ],
];

fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a.0, a.1, a.2), luminance(b.0, b.1, b.2));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// What a colour may look like; nothing where it is the terminal's own.
fn looks(colour: Option<Colour>) -> Vec<Rgb> {
    match colour {
        None | Some(Colour::Terminal) => Vec::new(),
        Some(Colour::Rgb(r, g, b)) => vec![(r, g, b)],
        Some(Colour::Ansi(n)) => PALETTES.iter().map(|palette| palette[usize::from(n)]).collect(),
    }
}

/// The same in a terminal that makes what is bold bright, as xterm does.
fn looks_of(style: &Style) -> Vec<Rgb> {
    match style.fg {
        Some(Colour::Ansi(n)) if n < 8 && style.bold => [looks(style.fg), looks(Some(Colour::Ansi(n + 8)))].concat(),
        fg => looks(fg),
    }
}

/// Whoever has sixteen colours has the first of them behind them, or the last.
fn grounds(name: &str, theme: &Theme) -> &'static [Rgb] {
    let all: &[Rgb] = match theme.background {
        Some(Background::Dark) => &DARK,
        Some(Background::Light) => &LIGHT,
        None => &[],
    };
    if name.starts_with("16") { &all[..1] } else { all }
}

fn every() -> impl Iterator<Item = (&'static str, Theme)> {
    SHIPPED.iter().map(|(name, _)| (*name, Theme::shipped(name).expect("it is shipped").0))
}

#[test]
fn every_shipped_theme_is_without_problems_and_says_everything() {
    for (name, _) in SHIPPED {
        let (theme, problems) = Theme::shipped(name).expect("it is shipped");
        assert!(problems.is_empty(), "{name}: {:?}", problems.iter().map(Problem::render).collect::<Vec<_>>());
        let said = Meaning::ALL.iter().filter(|(m, _)| theme.style(*m) != Style::default()).count();
        assert!(said >= 15, "{name} leaves meanings out");
    }
}

#[test]
fn every_file_of_the_folder_is_shipped() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/themes");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_owned))
        .collect();
    names.sort();
    let mut shipped: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
    shipped.sort_unstable();
    assert_eq!(names, shipped);
}

/// WCAG 2.2: 4.5 for what is read, 3 for what stands in the background; 7 in the themes of high contrast. A rule is only
/// seen.
#[test]
fn every_shipped_theme_can_be_read_on_the_backgrounds_it_is_made_for() {
    let mut failed = Vec::new();
    for (name, theme) in every() {
        let high = name.starts_with("high-contrast");
        for (meaning, word) in Meaning::ALL {
            let style = theme.style(meaning);
            let least = match meaning {
                Meaning::Selected | Meaning::SelectedDim => continue,
                Meaning::Rule if high => 4.0,
                Meaning::Rule => 1.5,
                _ if high => 7.0,
                Meaning::Dim | Meaning::Ok | Meaning::Stale | Meaning::Bar | Meaning::RuleFocus => 3.0,
                _ => 4.5,
            };
            let filled = looks(style.bg);
            let below = if filled.is_empty() { grounds(name, &theme) } else { &filled };
            for fg in looks_of(&style) {
                for bg in below {
                    let found = contrast(fg, *bg);
                    if found < least {
                        failed.push(format!("{name}: {word} {fg:?} on {bg:?} is {found:.2}, wanted {least}"));
                    }
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// A selected row keeps its colours on another background.
#[test]
fn what_is_selected_can_still_be_read() {
    let mut failed = Vec::new();
    for (name, theme) in every() {
        let meanings = [
            (Meaning::Dim, 3.0),
            (Meaning::Ok, 3.0),
            (Meaning::Stale, 3.0),
            (Meaning::Accent, 4.5),
            (Meaning::Warning, 4.5),
            (Meaning::Critical, 4.5),
            (Meaning::Unreachable, 4.5),
            (Meaning::Unknown, 4.5),
        ];
        for selected in [Meaning::Selected, Meaning::SelectedDim] {
            for bg in looks(theme.style(selected).bg) {
                for (meaning, least) in meanings {
                    let style = theme.style(meaning);
                    for fg in looks(style.fg).into_iter().filter(|_| style.bg.is_none()) {
                        let found = contrast(fg, bg);
                        if found < least {
                            failed.push(format!("{name}: {meaning:?} on {selected:?} is {found:.2}, wanted {least}"));
                        }
                    }
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// How eyes without one kind of cone see linear light (Machado, Oliveira and Fernandes 2009, severity 1).
const EYES: [(&str, [[f64; 3]; 3]); 4] = [
    ("all cones", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protan",
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]],
    ),
    (
        "deutan",
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]],
    ),
    (
        "tritan",
        [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]],
    ),
];

/// CIE L*a*b* under D65, as these eyes see it.
fn lab(colour: Rgb, eye: &[[f64; 3]; 3]) -> [f64; 3] {
    let light = [linear(colour.0), linear(colour.1), linear(colour.2)];
    let times = |m: &[[f64; 3]; 3], v: [f64; 3]| {
        let mut out = [0.0; 3];
        for (row, value) in m.iter().zip(&mut out) {
            *value = row.iter().zip(v).map(|(a, b)| a * b).sum::<f64>().clamp(0.0, 1.1);
        }
        out
    };
    let seen = times(eye, light);
    let xyz = times(&[[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], seen);
    let f = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
    let [x, y, z] = [f(xyz[0] / 0.9505), f(xyz[1]), f(xyz[2] / 1.089)];
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

fn distance(a: Rgb, b: Rgb, eye: &[[f64; 3]; 3]) -> f64 {
    let (a, b) = (lab(a, eye), lab(b, eye));
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// Severity is always told by glyph and word as well; in the themes for colour-blind eyes by colour too.
#[test]
fn severities_stay_apart_for_all_eyes_where_a_theme_promises_it() {
    let severities =
        [Meaning::Critical, Meaning::Warning, Meaning::Unreachable, Meaning::Unknown, Meaning::Ok].into_iter();
    let mut failed = Vec::new();
    for (name, theme) in every().filter(|(_, theme)| theme.background.is_some()) {
        let promised = name.starts_with("colour-blind");
        let ink = |meaning: Meaning| {
            let style = theme.style(meaning);
            looks(style.bg.or(style.fg)).first().copied().expect("severities have a colour")
        };
        for (eye, matrix) in EYES.iter().take(if promised { 4 } else { 1 }) {
            for (at, one) in severities.clone().enumerate() {
                for other in severities.clone().skip(at + 1) {
                    let same = theme.style(one).bold == theme.style(other).bold;
                    let found = distance(ink(one), ink(other), matrix);
                    let least = if promised { 20.0 } else { 18.0 };
                    if found < least && (promised || same) {
                        failed.push(format!("{name}, {eye}: {one:?} and {other:?} are {found:.1} apart"));
                    }
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn shelf(files: &[(&str, &str)]) -> (Shelf, String) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("it can be written");
    }
    let (shelf, problems) = Shelf::read(folder.path());
    let place = format!("{}/", folder.path().display());
    (shelf, problems.iter().map(Problem::render).collect::<String>().replace(&place, ""))
}

#[test]
fn a_theme_of_the_user_inherits_and_stands_for_a_shipped_one() {
    let (shelf, problems) = shelf(&[
        ("dark.toml", "inherits = \"dark\"\naccent = { fg = \"light-blue\" }\n"),
        ("night.toml", "inherits = \"dark\"\nok = { fg = \"green\" }\n"),
        ("readme.txt", "no theme"),
    ]);
    assert_eq!(problems, "");
    let (night, _) = shelf.find("night").expect("it is there");
    assert_eq!(night.style(Meaning::Accent).fg, Some(Colour::Ansi(12)), "by way of the user's own dark");
    assert_eq!(night.style(Meaning::Critical), Theme::shipped("dark").expect("shipped").0.style(Meaning::Critical));
    assert_eq!(night.background, Some(Background::Dark));
    assert_eq!(shelf.names().last(), Some(&"night"));
    assert!(shelf.unknown("nihgt").contains("did you mean \"night\"?"));
}

#[test]
fn what_is_wrong_with_a_theme_has_its_place_and_the_rest_holds() {
    let (shelf, problems) = shelf(&[
        (
            "a.toml",
            "inherits = \"darkk\"\n\"critcal\" = { fg = \"red\" }\nok = { fg = \"#12\" }\nwarning = { fg = \"yelow\" }\n\
             rule.focus = { fg = \"red\" }\nbackground = \"grey\"\naccent = { fgg = \"red\" }\n",
        ),
        ("b.toml", "inherits = \"c\"\n"),
        ("c.toml", "inherits = \"b\"\ndim = { dim = true }\n"),
    ]);
    for want in [
        "a.toml:1:12: warning: there is no theme \"darkk\"; did you mean \"dark\"?",
        "a.toml:2:1: warning: unknown meaning \"critcal\"",
        "did you mean \"critical\"?",
        "a.toml:3:13: warning: \"#12\" is no colour",
        "write #rrggbb",
        "did you mean \"yellow\"?",
        "a.toml:6:14: warning: this is no background",
        "a.toml:7:12: error: unknown key `fgg` in a style",
        "c.toml:1:12: warning: it inherits itself in a circle",
    ] {
        assert!(problems.contains(want), "{want} is missing in\n{problems}");
    }
    let (b, _) = shelf.find("b").expect("it is there");
    assert!(b.style(Meaning::Dim).dim, "what holds, holds");
}

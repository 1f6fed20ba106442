//! CSV with a header line: comma, semicolon or tab, found in the header. Columns are known by their usual names;
//! others are named by the user. Only names, addresses, groups, tags, parents and a TCP port are taken.

use super::{Format, Found, Input, Reach, Record};
use crate::base::options::{Problem, nearest};

pub static FORMAT: Format =
    Format { name: "csv", help: "a table with a header line; columns by their usual names or --column", read };

/// What a column can be, and the headers that it usually has: lower case, only letters and digits.
const FIELDS: &[(&str, &[&str])] = &[
    ("name", &["name", "hostname", "host", "device", "devicename", "displayname", "sysname"]),
    (
        "address",
        &[
            "address",
            "ip",
            "ipaddress",
            "ipv4",
            "ipv4address",
            "primaryip",
            "primaryip4",
            "managementip",
            "mgmtip",
            "fqdn",
        ],
    ),
    ("group", &["group", "site", "location"]),
    ("tags", &["tags", "tag", "labels"]),
    ("parents", &["parents", "parent", "upstream"]),
    ("port", &["port", "tcpport"]),
];

fn read(input: &Input) -> Result<Found, Vec<Problem>> {
    let text = &input.source.text;
    let header = text.lines().next().unwrap_or_default();
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(delimiter(header))
        .flexible(true)
        .trim(::csv::Trim::All)
        .from_reader(text.as_bytes());
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(error) => return Err(vec![Problem::error(&input.line(1), format!("the header cannot be read: {error}"))]),
    };
    let columns = Columns::find(&headers, input)?;
    let mut found = Found::default();
    for (at, header) in headers.iter().enumerate() {
        if !columns.0.contains(&Some(at)) && !header.is_empty() {
            found.remark(Some(&input.line(1)), format!("the column \"{header}\" is not used"));
        }
    }
    for row in reader.records() {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                let line = error.position().map_or(1, ::csv::Position::line);
                return Err(vec![Problem::error(&line_of(input, line), format!("the row cannot be read: {error}"))]);
            }
        };
        if row.iter().all(str::is_empty) {
            continue;
        }
        if found.records.len() >= super::MOST_HOSTS {
            return Err(vec![Problem::unplaced(format!("it has more than {} hosts", super::MOST_HOSTS))]);
        }
        let place = line_of(input, row.position().map_or(1, ::csv::Position::line));
        let cell = |field: &str| columns.of(field).and_then(|at| row.get(at)).filter(|cell| !cell.is_empty());
        let address = cell("address").map(|a| without_prefix_length(a).to_owned());
        let Some(name) = cell("name").map(str::to_owned).or_else(|| address.clone()) else {
            found.remark(Some(&place), "left out, it has neither name nor address");
            continue;
        };
        let mut record = Record::named(&name);
        record.address = address.filter(|a| *a != name);
        record.group = cell("group").map(str::to_owned);
        record.tags = list(cell("tags"));
        record.parents = list(cell("parents"));
        match cell("port").map(str::parse::<u16>) {
            None => {}
            Some(Ok(port)) if port > 0 => record.reach = Reach::Tcp { port },
            Some(_) => found.remark(Some(&place), format!("{name}: the port is no number from 1 to 65535")),
        }
        record.place = Some(place);
        found.records.push(record);
    }
    Ok(found)
}

/// The column of each field, in the order of [`FIELDS`].
#[derive(Debug)]
struct Columns(Vec<Option<usize>>);

impl Columns {
    fn find(headers: &::csv::StringRecord, input: &Input) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut columns = vec![None; FIELDS.len()];
        for (field, header) in &input.columns {
            let Some(at) = FIELDS.iter().position(|(name, _)| name == field) else {
                let known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
                problems.push(
                    Problem::unplaced(format!("there is no field \"{field}\""))
                        .hint(format!("known: {}", known.join(", "))),
                );
                continue;
            };
            columns[at] = headers.iter().position(|h| h == header);
            if columns[at].is_none() {
                let problem = Problem::error(&input.line(1), format!("there is no column \"{header}\""));
                problems.push(match nearest(header, headers.iter()) {
                    Some(near) => problem.hint(format!("did you mean \"{near}\"?")),
                    None => problem,
                });
            }
        }
        for (at, (_, usual)) in FIELDS.iter().enumerate() {
            if columns[at].is_none() {
                columns[at] = usual.iter().find_map(|word| headers.iter().position(|h| plain(h) == *word));
            }
        }
        let columns = Self(columns);
        if columns.of("name").is_none() && columns.of("address").is_none() {
            problems.push(
                Problem::error(&input.line(1), "no column is known to hold names or addresses")
                    .hint("the first line must be a header; name its column with --column name=HEADER"),
            );
        }
        if problems.is_empty() { Ok(columns) } else { Err(problems) }
    }

    fn of(&self, field: &str) -> Option<usize> {
        FIELDS.iter().position(|(name, _)| *name == field).and_then(|at| self.0[at])
    }
}

fn plain(header: &str) -> String {
    header.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn line_of(input: &Input, line: u64) -> crate::base::options::Place {
    input.line(usize::try_from(line).unwrap_or(1))
}

/// The separator that the header has most of, outside quotes.
fn delimiter(header: &str) -> u8 {
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in header.bytes() {
        quoted ^= byte == b'"';
        if !quoted && let Some((_, count)) = counts.iter_mut().find(|(b, _)| *b == byte) {
            *count += 1;
        }
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(byte, _)| byte)
}

/// `10.0.0.1/24`, as address managers export it, without its length.
fn without_prefix_length(address: &str) -> &str {
    match address.split_once('/') {
        Some((ip, length)) if ip.parse::<std::net::IpAddr>().is_ok() && length.parse::<u8>().is_ok() => ip,
        _ => address,
    }
}

fn list(cell: Option<&str>) -> Vec<String> {
    cell.unwrap_or_default()
        .split([',', ';', '|'])
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::testing::{input, words};

    #[test]
    fn columns_are_known_by_their_usual_names() {
        let found = read(&input(
            "Host Name;Management IP;Site;Tags;Port;Owner\ncore-sw1;10.0.0.2/24;FRA;core,edge;443;alice\n;10.0.0.9;;;;\n\"a\nb\";10.0.0.3;;;x;\n",
        ))
        .expect("readable");
        let first = &found.records[0];
        assert_eq!((first.name.as_str(), first.address.as_deref()), ("core-sw1", Some("10.0.0.2")));
        assert_eq!(
            (first.group.as_deref(), first.tags.as_slice()),
            (Some("FRA"), &["core".to_owned(), "edge".to_owned()][..])
        );
        assert_eq!(first.reach, Reach::Tcp { port: 443 });
        assert_eq!((found.records[1].name.as_str(), &found.records[1].address), ("10.0.0.9", &None));
        let words = words(&found.remarks);
        assert!(words.contains("the column \"Owner\" is not used"), "{words}");
        assert!(words.contains("input:4:1: warning:") && words.contains("no number from 1 to 65535"), "{words}");
    }

    #[test]
    fn a_column_can_be_named() {
        let mut input = input("Box,Where\na,10.0.0.1\n");
        input.columns = vec![("name".to_owned(), "Box".to_owned()), ("address".to_owned(), "Where".to_owned())];
        let found = read(&input).expect("readable");
        assert_eq!(found.records[0].address.as_deref(), Some("10.0.0.1"));
        input.columns = vec![("name".to_owned(), "Bxo".to_owned()), ("colour".to_owned(), "Box".to_owned())];
        let problems = words(&read(&input).expect_err("unknown column and field"));
        assert!(problems.contains("did you mean \"Box\"?") && problems.contains("no field \"colour\""), "{problems}");
    }

    #[test]
    fn a_table_without_header_is_refused() {
        let problems = words(&read(&input("10.0.0.1,10.0.0.2\n")).expect_err("no header"));
        assert!(problems.contains("input:1:1: error: no column is known"), "{problems}");
        assert!(read(&input("")).is_err());
    }

    #[test]
    fn the_separator_is_found_in_the_header() {
        assert_eq!(delimiter("a,b;c,d"), b',');
        assert_eq!(delimiter("a;b"), b';');
        assert_eq!(delimiter("a\tb"), b'\t');
        assert_eq!(delimiter("\"a;b;c\",d"), b',');
        assert_eq!(delimiter("name"), b',');
    }
}

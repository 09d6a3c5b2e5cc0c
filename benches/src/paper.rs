//! What comes out, by nothing else than this: Markdown on standard output; and, with `--out`, a
//! directory with the same, the numbers by themselves, and pictures of them.

use core::error::Error;
use core::fmt::{Display, Write as _};
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::harness::{Record, records};
use crate::plots::{self, Plot};

/// All that has been printed.
static PRINTED: Mutex<String> = Mutex::new(String::new());

/// Onto standard output only: what the report has elsewhere.
#[allow(clippy::print_stdout, reason = "the one place to do it")]
pub(crate) fn show(text: impl Display) {
    println!("{text}");
}

/// Onto standard output, and into the report.
pub(crate) fn print(text: impl Display) {
    show(&text);
    let mut printed = PRINTED.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(printed, "{text}").expect("memory");
}

/// Writes the report: the head, the pictures, and what has been printed.
pub(crate) fn write(directory: &Path, head: &str) -> Result<(), Box<dyn Error>> {
    let records = records();
    fs::write(directory.join("data.csv"), csv(&records)?)?;
    let plots = plots::all(&records);
    for plot in &plots {
        fs::write(directory.join(&plot.file), &plot.svg)?;
    }
    let printed = PRINTED.lock().unwrap_or_else(PoisonError::into_inner);
    fs::write(directory.join("README.md"), page(head, &plots, &printed))?;
    Ok(())
}

fn page(head: &str, plots: &[Plot], tables: &str) -> String {
    let mut page = format!("# What rawipc costs\n\n{head}\n");
    page.push_str("The numbers by themselves: [data.csv](data.csv). ");
    page.push_str(
        "How they are taken and how to read them: [benches/README.md](../README.md).\n\n",
    );
    for Plot { file, title, about, .. } in plots {
        write!(page, "## {title}\n\n{about}\n\n![{title}]({file})\n\n").expect("memory");
    }
    page.push_str(tables.trim_end());
    page.push('\n');
    page
}

fn csv(records: &[Record]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut lines = csv::Writer::from_writer(Vec::new());
    records.iter().try_for_each(|record| lines.serialize(record))?;
    Ok(lines.into_inner()?)
}

#[cfg(test)]
mod tests {
    use super::{Plot, csv, page};
    use crate::harness::Record;

    #[test]
    fn a_record_is_a_line_and_what_does_not_vary_is_empty() {
        let record = Record {
            suite: "calls",
            group: "pipe, by hand".to_owned(),
            by: "libc".to_owned(),
            bytes: Some(8),
            processes: None,
            place: "",
            unit: "ns",
            statistic: "median",
            value: 12.5,
        };
        assert_eq!(
            String::from_utf8(csv(&[record]).unwrap()).unwrap(),
            "suite,group,by,bytes,processes,place,unit,statistic,value\n\
             calls,\"pipe, by hand\",libc,8,,,ns,median,12.5\n"
        );
    }

    #[test]
    fn pictures_come_before_tables() {
        let plot = Plot {
            file: "a.svg".to_owned(),
            title: "Title".to_owned(),
            about: "What it shows.",
            svg: String::new(),
        };
        let page = page("- CPU: one\n", &[plot], "## Table\n");
        let [head, picture, table] =
            ["- CPU", "![Title](a.svg)", "## Table"].map(|part| page.find(part).unwrap());
        assert!(head < picture && picture < table);
    }
}

use super::line;
use crate::error::CliError;

/// Prints rows under a heading, columns as wide as their widest cell. Nothing but the heading when there are no rows.
pub(crate) fn print_table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> Result<(), CliError> {
    for text in lines(heading, rows) {
        line(&text)?;
    }
    Ok(())
}

fn lines<const N: usize>(heading: [&str; N], rows: &[[String; N]]) -> Vec<String> {
    let mut widths = heading.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let format = |cells: Vec<&str>| {
        let mut text = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        text.trim_end().to_owned()
    };
    let heading = format(heading.to_vec());
    let body = rows.iter().map(|row| format(row.iter().map(String::as_str).collect()));
    std::iter::once(heading).chain(body).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["blog".to_owned(), "running".to_owned()], ["a".to_owned(), String::new()]];
        assert_eq!(lines(["NAME", "STATE"], &rows), ["NAME  STATE", "blog  running", "a"]);
    }
}

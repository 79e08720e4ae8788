//! A report as a workbook: numbers are numbers, rates are rates, and every sheet says as of when.

use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use super::given::{Figure, Given};
use crate::console::texts::reports as t;

/// The first row of a table: above it stand the title and the watermark.
const HEAD: u32 = 3;

struct Styles {
    title: Format,
    head: Format,
    text: Format,
    count: Format,
    rate: Format,
    days: Format,
}

impl Styles {
    fn new() -> Self {
        let number = |pattern: &str| Format::new().set_num_format(pattern);
        Self {
            title: Format::new().set_bold().set_font_size(14),
            head: Format::new().set_bold().set_num_format("@"),
            text: number("@"),
            count: number("#,##0"),
            rate: number("0.00%"),
            days: number("0.00"),
        }
    }
}

/// One workbook: figures, units, matters, what was used, units and people.
pub(super) fn workbook(r: &Given) -> Result<Vec<u8>, XlsxError> {
    let (mut book, styles) = (Workbook::new(), Styles::new());
    figures(book.add_worksheet(), r, &styles)?;
    children(book.add_worksheet(), r, &styles)?;
    matters(book.add_worksheet(), r, &styles)?;
    coverage(book.add_worksheet(), r, &styles)?;
    units(book.add_worksheet(), r, &styles)?;
    book.save_to_buffer()
}

fn begin(sheet: &mut Worksheet, name: &str, r: &Given, head: &[&str], styles: &Styles) -> Result<(), XlsxError> {
    sheet.set_name(name)?;
    sheet.set_paper_size(9);
    sheet.set_landscape();
    sheet.set_print_fit_to_pages(1, 0);
    sheet.set_footer(format!("&L{}&R&P / &N", r.watermark.text));
    sheet.write_string_with_format(0, 0, r.title(), &styles.title)?;
    let frame = format!("{}；{}", r.watermark.text, r.frame_label);
    sheet.write_string_with_format(1, 0, frame, &styles.text)?;
    for (column, label) in (0_u16..).zip(head) {
        sheet.write_string_with_format(HEAD, column, *label, &styles.head)?;
        sheet.set_column_width(column, if column == 0 { 30.0 } else { 14.0 })?;
    }
    sheet.set_freeze_panes(HEAD + 1, 1)?;
    Ok(())
}

fn put(sheet: &mut Worksheet, row: u32, column: u16, figure: &Figure, styles: &Styles) -> Result<(), XlsxError> {
    match (figure.kind.as_str(), figure.value) {
        ("count", Some(value)) => sheet.write_number_with_format(row, column, value as f64, &styles.count)?,
        ("share", Some(value)) => sheet.write_number_with_format(row, column, value as f64 / 10_000.0, &styles.rate)?,
        ("days", Some(value)) => sheet.write_number_with_format(row, column, value as f64 / 100.0, &styles.days)?,
        _ => sheet.write_string_with_format(row, column, &figure.shown, &styles.text)?,
    };
    Ok(())
}

fn figures(sheet: &mut Worksheet, r: &Given, styles: &Styles) -> Result<(), XlsxError> {
    begin(
        sheet,
        t::FIGURE,
        r,
        &[t::FIGURE, t::THIS, t::LAST, t::CHANGE, t::HOW],
        styles,
    )?;
    sheet.set_column_width(4, 90)?;
    for (row, figure) in (HEAD + 1..).zip(&r.figures) {
        sheet.write_string_with_format(row, 0, &figure.label, &styles.text)?;
        put(sheet, row, 1, figure, styles)?;
        sheet.write_string_with_format(row, 2, &figure.last, &styles.text)?;
        sheet.write_string_with_format(row, 3, &figure.change, &styles.text)?;
        sheet.write_string_with_format(row, 4, &figure.definition, &styles.text)?;
    }
    let end = HEAD + 2 + u32::try_from(r.figures.len()).unwrap_or(0);
    sheet.write_string_with_format(end, 0, &r.year_on_year, &styles.text)?;
    Ok(())
}

/// The figures of a row of units, and what they are called.
const COLUMNS: [(&str, &str); 9] = [
    ("received", t::RECEIVED),
    ("accepted", t::ACCEPTED),
    ("closed", t::CLOSED),
    ("open", t::OPEN),
    ("overdue", t::OVERDUE),
    ("on_time", t::ON_TIME),
    ("spot", t::SPOT),
    ("satisfied", t::SATISFIED),
    ("rated", t::RATED),
];

fn children(sheet: &mut Worksheet, r: &Given, styles: &Styles) -> Result<(), XlsxError> {
    let labels = COLUMNS.map(|(_, label)| label);
    let head = [&[t::UNIT][..], &labels, &[t::CLOSED_CHANGE]].concat();
    begin(sheet, t::BY_UNIT, r, &head, styles)?;
    for (row, child) in (HEAD + 1..).zip(&r.children) {
        sheet.write_string_with_format(row, 0, &child.name, &styles.text)?;
        for (column, (key, _)) in (1_u16..).zip(COLUMNS) {
            let Some(cell) = child.figures.get(key) else { continue };
            match (cell.value, cell.shown.ends_with('%')) {
                (Some(value), true) => {
                    sheet.write_number_with_format(row, column, value as f64 / 10_000.0, &styles.rate)?
                }
                (Some(value), false) => sheet.write_number_with_format(row, column, value as f64, &styles.count)?,
                (None, _) => sheet.write_string_with_format(row, column, &cell.shown, &styles.text)?,
            };
        }
        sheet.write_string_with_format(row, 10, &child.change, &styles.text)?;
    }
    Ok(())
}

fn matters(sheet: &mut Worksheet, r: &Given, styles: &Styles) -> Result<(), XlsxError> {
    let head = [
        t::MATTER,
        t::GROUP,
        t::RECEIVED,
        t::ACCEPTED,
        t::CLOSED,
        t::OPEN,
        t::RECEIVED_CHANGE,
    ];
    begin(sheet, t::BY_MATTER, r, &head, styles)?;
    for (row, matter) in (HEAD + 1..).zip(&r.matters) {
        let name = format!("{} {}", matter.matter, matter.name.as_deref().unwrap_or_default());
        sheet.write_string_with_format(row, 0, name, &styles.text)?;
        sheet.write_string_with_format(row, 1, matter.group.as_deref().unwrap_or_default(), &styles.text)?;
        for (column, count) in (2_u16..).zip([matter.received, matter.accepted, matter.closed, matter.open]) {
            sheet.write_number_with_format(row, column, count as f64, &styles.count)?;
        }
        sheet.write_string_with_format(row, 6, &matter.change, &styles.text)?;
    }
    Ok(())
}

fn coverage(sheet: &mut Worksheet, r: &Given, styles: &Styles) -> Result<(), XlsxError> {
    begin(sheet, t::COVERAGE, r, &[t::GROUP, t::USED, t::ALL, t::UNUSED], styles)?;
    sheet.set_column_width(3, 90)?;
    for (row, group) in (HEAD + 1..).zip(&r.coverage) {
        sheet.write_string_with_format(row, 0, &group.group, &styles.text)?;
        sheet.write_number_with_format(row, 1, group.used as f64, &styles.count)?;
        sheet.write_number_with_format(row, 2, group.all as f64, &styles.count)?;
        let unused: Vec<String> = group
            .unused
            .iter()
            .map(|m| format!("{} {}", m.matter, m.name))
            .collect();
        sheet.write_string_with_format(row, 3, unused.join("；"), &styles.text)?;
    }
    Ok(())
}

fn units(sheet: &mut Worksheet, r: &Given, styles: &Styles) -> Result<(), XlsxError> {
    let head = [t::UNIT, t::CENTRES, t::SUB_CENTRES, t::ROOMS, t::AGENT_POINTS, t::STAFF];
    begin(sheet, t::UNITS, r, &head, styles)?;
    for (row, unit) in (HEAD + 1..).zip(&r.units) {
        sheet.write_string_with_format(row, 0, &unit.name, &styles.text)?;
        let counts = [
            unit.centres,
            unit.sub_centres,
            unit.rooms,
            unit.agent_points,
            unit.staff,
        ];
        for (column, count) in (1_u16..).zip(counts) {
            sheet.write_number_with_format(row, column, count as f64, &styles.count)?;
        }
    }
    Ok(())
}

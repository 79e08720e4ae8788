//! The figures as Prometheus reads them.

use prometheus::TextEncoder;
use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType};
use serde_json::Value;

/// A figure of each room: its name, what it says, and where it stands.
const OF_ROOMS: [(&str, &str, &str, f64); 8] = [
    (
        "cunlian_node_last_seen_timestamp_seconds",
        "When the room was last heard.",
        "last_seen_ms",
        1e-3,
    ),
    (
        "cunlian_node_pending_entries",
        "Entries of the room that have not come here.",
        "pending",
        1.0,
    ),
    (
        "cunlian_node_oldest_pending_seconds",
        "How long the oldest of them has waited.",
        "oldest_pending_s",
        1.0,
    ),
    (
        "cunlian_node_clock_skew_seconds",
        "The room's clock less ours.",
        "skew_ms",
        1e-3,
    ),
    (
        "cunlian_node_disk_free_bytes",
        "Free bytes of the room's disk.",
        "disk_free_bytes",
        1.0,
    ),
    (
        "cunlian_node_disk_size_bytes",
        "Bytes of the room's disk in all.",
        "disk_total_bytes",
        1.0,
    ),
    (
        "cunlian_node_rtt_seconds",
        "Round trip to the hub that meets the room.",
        "rtt_ms",
        1e-3,
    ),
    (
        "cunlian_node_quarantined_records",
        "What the room has set aside.",
        "quarantined",
        1.0,
    ),
];

/// Everything as text.
pub(super) fn of(figures: &Value) -> String {
    let mut families = own(figures);
    families.extend(counted(figures));
    families.extend(of_rooms(figures));
    let mut text = String::new();
    for family in &families {
        if family.get_metric().is_empty() {
            // Nothing to tell yet. The name stands all the same, as the format allows: whoever looks finds out that there is such a figure.
            let (name, kind) = (family.name(), kind(family.get_field_type()));
            text.push_str(&format!("# HELP {name} {}\n# TYPE {name} {kind}\n", family.help()));
        } else if let Err(error) = TextEncoder::new().encode_utf8(std::slice::from_ref(family), &mut text) {
            tracing::error!(%error, "metrics cannot be written");
            return String::new();
        }
    }
    text
}

fn kind(kind: MetricType) -> &'static str {
    match kind {
        MetricType::COUNTER => "counter",
        MetricType::HISTOGRAM => "histogram",
        _ => "gauge",
    }
}

fn own(figures: &Value) -> Vec<MetricFamily> {
    let number = |key: &str| figures[key].as_f64();
    let one = |name: &str, help: &str, value: Option<f64>| {
        family(name, help, MetricType::GAUGE, value.map(|v| gauge(v, &[])).into_iter())
    };
    let version = figures["version"].as_str().unwrap_or_default();
    let tier = figures["tier"].as_str().unwrap_or_default();
    let build = gauge(1.0, &[("version", version), ("tier", tier)]);
    let flag = |key: &str| figures[key].as_bool().map(|so| f64::from(u8::from(so)));
    vec![
        family(
            "cunlian_build_info",
            "Program, version and tier; always 1.",
            MetricType::GAUGE,
            [build].into_iter(),
        ),
        one(
            "cunlian_journal_bytes",
            "Bytes of the journal.",
            number("journal_bytes"),
        ),
        one("cunlian_journal_entries", "Entries held.", number("entries")),
        one(
            "cunlian_disk_free_bytes",
            "Free bytes of our own disk.",
            number("disk_free_bytes"),
        ),
        one(
            "cunlian_disk_size_bytes",
            "Bytes of our own disk in all.",
            number("disk_total_bytes"),
        ),
        one(
            "cunlian_writable",
            "1: records are taken; 0: the disk is full or failing.",
            flag("writable"),
        ),
        one("cunlian_peers", "Connections that stand.", number("peers")),
        one(
            "cunlian_parent_up",
            "Whether a hub above is connected; absent where there is none.",
            flag("parent_up"),
        ),
        one(
            "cunlian_conflicts_open",
            "Conflict items that nobody has decided.",
            number("conflicts"),
        ),
        one(
            "cunlian_quarantined_records",
            "Records and entries set aside here.",
            number("quarantined"),
        ),
        one(
            "cunlian_pending_entries",
            "Own entries that no township or county holds.",
            number("pending"),
        ),
    ]
}

fn counted(figures: &Value) -> Vec<MetricFamily> {
    vec![
        counter(
            "cunlian_ingest_entries_total",
            "Entries that came from peers since the start.",
            [(figures["ingested"].as_f64().unwrap_or(0.0), Vec::new())],
        ),
        counter(
            "cunlian_sync_failures_total",
            "Sessions that did not end as they should, since the start.",
            labelled(figures, "failures", "reason"),
        ),
        histogram(figures),
        family(
            "cunlian_alerts_open",
            "Alerts that are open, muted ones too.",
            MetricType::GAUGE,
            labelled(figures, "alerts", "rule")
                .into_iter()
                .map(|(value, labels)| with(gauge(value, &[]), labels)),
        ),
        family("cunlian_rooms", "Rooms by state.", MetricType::GAUGE, states(figures)),
    ]
}

fn states(figures: &Value) -> impl Iterator<Item = Metric> + '_ {
    let states = figures["states"].as_object().into_iter().flatten();
    states.map(|(state, many)| gauge(many.as_f64().unwrap_or(0.0), &[("state", state)]))
}

fn of_rooms(figures: &Value) -> impl Iterator<Item = MetricFamily> + '_ {
    let rooms = figures["rooms"].as_array().into_iter().flatten();
    // A room has a row for each computer: the beginning of its key tells them apart.
    let labelled = rooms.filter_map(|room| {
        let device = room["device"].as_str()?;
        let labels = vec![
            label("unit", &code(&room["unit"])),
            label("device", device.get(..8).unwrap_or_default()),
        ];
        Some((room, labels))
    });
    let rooms: Vec<(&Value, Vec<LabelPair>)> = labelled.collect();
    OF_ROOMS.iter().map(move |(name, help, key, scale)| {
        let figure = |(room, labels): &(&Value, Vec<LabelPair>)| {
            let value = of_room(room, key)? * scale;
            Some(with(gauge(value, &[]), labels.clone()))
        };
        family(name, help, MetricType::GAUGE, rooms.iter().filter_map(figure))
    })
}

/// A figure of a room; `None` where it is not known.
fn of_room(room: &Value, key: &str) -> Option<f64> {
    let figure = room[key].as_f64();
    // Where nothing waits, nothing has waited: a series that comes and goes is hard to watch.
    let none_waits = key == "oldest_pending_s" && room["pending"] == 0 && room["last_seen_ms"].is_number();
    figure.or_else(|| none_waits.then_some(0.0))
}

/// A unit's code, however it is written.
fn code(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn labelled(figures: &Value, list: &str, name: &str) -> Vec<(f64, Vec<LabelPair>)> {
    let rows = figures[list].as_array().into_iter().flatten();
    let row = |row: &Value| {
        let value = row["count"].as_f64().unwrap_or(0.0);
        (value, vec![label(name, row[name].as_str().unwrap_or_default())])
    };
    rows.map(row).collect()
}

fn histogram(figures: &Value) -> MetricFamily {
    let numbers = |value: &Value| {
        value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_u64)
            .collect::<Vec<u64>>()
    };
    let (ends, within) = (
        numbers(&figures["sync"]["ends_ms"]),
        numbers(&figures["sync"]["within"]),
    );
    let bucket = |(end, count): (&u64, &u64)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(*end as f64 / 1e3);
        bucket.set_cumulative_count(*count);
        bucket
    };
    let mut histogram = Histogram::default();
    histogram.set_bucket(ends.iter().zip(&within).map(bucket).collect());
    histogram.set_sample_count(within.last().copied().unwrap_or(0));
    histogram.set_sample_sum(figures["sync"]["sum_ms"].as_f64().unwrap_or(0.0) / 1e3);
    let mut metric = Metric::default();
    metric.set_histogram(histogram);
    let help = "From the connection to being in step for the first time.";
    family(
        "cunlian_sync_duration_seconds",
        help,
        MetricType::HISTOGRAM,
        [metric].into_iter(),
    )
}

fn counter(name: &str, help: &str, rows: impl IntoIterator<Item = (f64, Vec<LabelPair>)>) -> MetricFamily {
    let metric = |(value, labels): (f64, Vec<LabelPair>)| {
        let mut counter = Counter::default();
        counter.set_value(value);
        let mut metric = Metric::default();
        metric.set_counter(counter);
        with(metric, labels)
    };
    family(name, help, MetricType::COUNTER, rows.into_iter().map(metric))
}

fn family(name: &str, help: &str, kind: MetricType, metrics: impl Iterator<Item = Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(metrics.collect());
    family
}

fn gauge(value: f64, labels: &[(&str, &str)]) -> Metric {
    let mut gauge = Gauge::default();
    gauge.set_value(value);
    let metric = Metric::from_gauge(gauge);
    with(metric, labels.iter().map(|(name, value)| label(name, value)).collect())
}

fn with(mut metric: Metric, labels: Vec<LabelPair>) -> Metric {
    metric.set_label(labels);
    metric
}

fn label(name: &str, value: &str) -> LabelPair {
    let mut label = LabelPair::default();
    label.set_name(name.to_owned());
    label.set_value(value.to_owned());
    label
}

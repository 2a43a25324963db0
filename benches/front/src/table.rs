use crate::{
    error::BenchError,
    sample::{Sample, Spread},
    server::Server,
    work::Work,
};

const MEBIBYTE: f64 = 1_048_576.0;

/// One server's turns.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) server: String,
    pub(crate) samples: Vec<Sample>,
    /// Bytes of memory it occupied before the first turn.
    before: usize,
    /// And at most during each.
    pub(crate) peaks: Vec<usize>,
}

impl Row {
    pub(crate) fn new(server: &Server) -> Result<Self, BenchError> {
        let before = server.resident()?;
        Ok(Self { server: server.name.clone(), samples: Vec::new(), before, peaks: Vec::new() })
    }

    /// How much more memory it occupied at most during each turn than before the first, in MiB.
    #[allow(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
    fn growth(&self) -> Spread {
        Spread::of(self.peaks.iter().map(|peak| peak.saturating_sub(self.before) as f64 / MEBIBYTE))
    }
}

/// Prints a work's figures. A ratio is the first server's figure by this one's, of the same round; the medians of those.
pub(crate) fn print(work: Work, rows: &[Row]) {
    let Some(first) = rows.first() else { return };
    println!("\n{}", work.title());
    println!(
        "{:10} {:>10} {:>17} {:>18} {:>10} {:>17} {:>18}",
        "", "per CPU-s", "least–most", "ratio", "per second", "least–most", "ratio"
    );
    for row in rows {
        let cpu = columns(first, row, Sample::per_cpu_second);
        let wall = columns(first, row, Sample::per_second);
        println!("{:10} {cpu} {wall}", row.server);
    }
    if matches!(work, Work::Down | Work::Up) {
        for row in rows {
            let growth = row.growth();
            println!(
                "{:10} memory: {} MiB before, {:.1} MiB more at most ({:.1}–{:.1})",
                row.server,
                row.before >> 20,
                growth.median,
                growth.least,
                growth.most
            );
        }
    }
    if rows.iter().all(|row| row.samples.iter().all(|sample| sample.p99.is_some())) {
        let p99s = |row: &Row| -> Vec<f64> {
            row.samples.iter().filter_map(|sample| sample.p99).map(|p99| p99.as_secs_f64() * 1e3).collect()
        };
        let own = p99s(first);
        for row in rows {
            let theirs = p99s(row);
            let (all, ratio) = (
                Spread::of(theirs.iter().copied()),
                Spread::of(own.iter().zip(&theirs).map(|(own, theirs)| own / theirs)),
            );
            println!(
                "{:10} p99 {:.2} ms ({:.2}–{:.2}), ratio {:.2} ({:.2}–{:.2})",
                row.server, all.median, all.least, all.most, ratio.median, ratio.least, ratio.most
            );
        }
    }
}

fn columns(first: &Row, row: &Row, figure: impl Fn(&Sample) -> f64) -> String {
    let all = Spread::of(row.samples.iter().map(&figure));
    let pairs = first.samples.iter().zip(&row.samples);
    let ratio = Spread::of(pairs.map(|(first, this)| figure(first) / figure(this)));
    let reach = format!("{:.0}–{:.0}", all.least, all.most);
    let ratio = format!("{:.2} ({:.2}–{:.2})", ratio.median, ratio.least, ratio.most);
    format!("{:>10.0} {reach:>17} {ratio:>18}", all.median)
}

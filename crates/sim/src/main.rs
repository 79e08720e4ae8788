//! `cunlian-sim`: tells the story of a seed, or of many.
//!
//! ```text
//! cunlian-sim --seed 7                 one story, told aloud; if it fails, shortened to what it takes
//! cunlian-sim --seeds 1000 --from 0    many, in silence; faults by kind at the end
//! cunlian-sim --seed 7 --years 3       one long one
//! ```

mod many;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use sim::Shape;
use sim::month::Month;
use sim::shrink::shrink;
use sim::story::Story;

/// A simulated county of Cunlian: the real program on every device, with bad lines, bad disks, wrong clocks and one seed.
#[derive(Parser, Debug)]
#[command(name = "cunlian-sim", version)]
struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Tell the story of this seed.
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Run so many seeds.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Days of faults in a story.
    #[arg(long, default_value_t = 10)]
    days: u64,
    /// As `--days`, in years.
    #[arg(long, conflicts_with = "days")]
    years: Option<u64>,
    /// Township hubs; 0: the rooms belong to the county.
    #[arg(long, default_value_t = 2)]
    townships: usize,
    #[arg(long, default_value_t = 9)]
    rooms: usize,
    /// Exactly so many devices in every story; otherwise some seeds make it smaller.
    #[arg(long)]
    fixed: bool,
    /// Threads; one seed runs in one.
    #[arg(long, default_value_t = default_jobs())]
    jobs: usize,
    /// One line of JSON for each seed, and one with the sums.
    #[arg(long)]
    json: bool,
    /// Do not shorten a story that fails.
    #[arg(long)]
    no_shrink: bool,
}

#[derive(Subcommand, Debug)]
enum What {
    /// One month of a full county, and what people would have seen in it.
    Month {
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[arg(long, default_value_t = 30)]
        days: u64,
        #[arg(long, default_value_t = 32)]
        townships: usize,
        #[arg(long, default_value_t = 12)]
        sub_centres: usize,
        #[arg(long, default_value_t = 462)]
        rooms: usize,
        /// Cases of a workday, in the whole county.
        #[arg(long, default_value_t = 1_130)]
        cases: u64,
    },
}

fn default_jobs() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Args {
    fn shape(&self) -> Shape {
        Shape {
            townships: self.townships,
            rooms: self.rooms,
            days: self.years.map_or(self.days, |years| years * 365),
            fixed: self.fixed,
        }
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(What::Month {
        seed,
        days,
        townships,
        sub_centres,
        rooms,
        cases,
    }) = args.what
    {
        return month(Month {
            seed,
            days,
            townships,
            sub_centres,
            rooms,
            cases_per_workday: cases,
        });
    }
    let well = match args.seeds {
        Some(seeds) => many::run(args.from, seeds, &args.shape(), args.jobs.max(1), args.json),
        None => one(args.seed.unwrap_or(0), &args),
    };
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn month(month: Month) -> ExitCode {
    let began = std::time::Instant::now();
    let figures = sim::month::run(month, &mut |text| {
        eprintln!("{:>6} s  {text}", began.elapsed().as_secs());
    });
    match figures {
        Ok(figures) => {
            println!("{figures}");
            println!("{} s on one core", began.elapsed().as_secs());
            if figures.failure().is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Tells one story aloud. If it fails and may be shortened, tells the short one as well.
fn one(seed: u64, args: &Args) -> bool {
    let story = Story::draw(seed, &args.shape());
    let shape = story.shape;
    println!(
        "seed {seed}: 1 county hub, {} townships, {} rooms, {} days, {} actions",
        shape.townships,
        shape.rooms,
        shape.days,
        story.actions.len()
    );
    let verdict = story.run(Some(&mut |line| println!("{line}")));
    println!("\n{}", many::table(&verdict.faults));
    println!(
        "{} deeds, {} events, trace {:016x}",
        verdict.deeds, verdict.events, verdict.trace
    );
    let Some(failure) = &verdict.failure else {
        println!(
            "all is well; in step {} s after healing",
            verdict.healed_ms.unwrap_or(0) / 1_000
        );
        return true;
    };
    println!("\nFAILED: {failure}");
    if !args.no_shrink {
        println!("\nmaking it shorter… (Ctrl-C: no further)");
        many::listen();
        if let Some(shrunk) = shrink(&story, 600, &|_, _| !many::is_stopping()) {
            println!(
                "{} of {} actions are enough ({} runs):",
                shrunk.story.actions.len(),
                story.actions.len(),
                shrunk.tried
            );
            shrunk.story.run(Some(&mut |line| println!("{line}")));
            println!("\nFAILED: {}", shrunk.verdict.failure.unwrap_or_default());
        }
    }
    false
}

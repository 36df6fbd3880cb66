//! Writes the seeds of the fuzz targets: `cargo run -p nats-hindsight-tests --example seeds -- DIR`
//! makes one folder per target in DIR, as libFuzzer wants them.

use std::path::Path;

use nats_hindsight_tests::targets::seeds;

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "fuzz/corpus".to_owned());
    for (target, seeds) in seeds::all() {
        let folder = Path::new(&folder).join(target);
        std::fs::create_dir_all(&folder)?;
        for (number, seed) in seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number:04}")), seed)?;
        }
    }
    Ok(())
}

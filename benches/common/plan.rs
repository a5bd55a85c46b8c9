//! Many scenarios of five requests each, and the same requests for Hurl.

use std::fmt::Write as _;
use std::path::Path;

/// The requests of a scenario.
pub(crate) const STEPS: u32 = 5;
const STEP: &str = "  - get_session: { session_id: bench }\n";
/// The scenarios of a file.
const TOGETHER: u32 = 20;

/// Writes so many scenarios into a folder `name`.
pub(crate) fn write(folder: &Path, name: &str, scenarios: u32) {
    std::fs::create_dir(folder.join(name)).unwrap();
    for file in 0..scenarios / TOGETHER {
        let text = (0..TOGETHER).fold(String::new(), |mut text, scenario| {
            let _ = write!(text, "---\nname: s{file}-{scenario}\nsteps:\n{}", STEP.repeat(STEPS as usize));
            text
        });
        std::fs::write(folder.join(name).join(format!("{file}.yaml")), text).unwrap();
    }
}

//! What a run of a plugin costs beside the plugin: alone, and below a warden that leaves nothing of it behind. Both run
//! `true`, one after the other; the difference is the price of the warden.

use noctty::process::{Program, run, warden};

fn main() {
    warden::use_program(env!("CARGO_BIN_EXE_noctty"));
    divan::main();
}

fn runs(bencher: divan::Bencher<'_, '_>, program: &Program) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    bencher.bench_local(|| runtime.block_on(run(program)).expect("it runs"));
}

#[divan::bench(sample_count = 200)]
fn alone(bencher: divan::Bencher<'_, '_>) {
    runs(bencher, &Program::new(["true"]));
}

#[divan::bench(sample_count = 200)]
fn below_a_warden(bencher: divan::Bencher<'_, '_>) {
    runs(bencher, &Program::new(["true"]).leaves_nothing());
}

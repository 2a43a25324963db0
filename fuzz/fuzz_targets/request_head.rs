#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| paas_proxy::fuzzing::request_head(data));

//! What only the real engine can show: the hardening as the kernel sees it, builds by BuildKit, data in volumes.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test binary has no outside, and helpers of tests are tests too"
)]

mod common;
mod docker {
    pub mod builds;
    pub mod cancel;
    pub mod containers;
    pub mod failures;
    pub mod hardening;
    pub mod registry;
}

use common::{World, within};

macro_rules! on_docker {
    ($($module:ident { $($test:ident),* $(,)? })*) => {
        $(mod $module {
            use super::{World, within};
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(world) = World::docker().await {
                    within(world, crate::docker::$module::$test).await;
                }
            })*
        })*
    };
}

on_docker! {
    hardening { every_container_is_confined, an_entrypoint_may_change_its_user }
    containers {
        the_environment_arrives_as_it_is,
        a_container_starts_quickly,
        a_volume_outlives_its_containers,
        anonymous_volumes_go_with_the_container,
        containers_of_a_network_find_each_other,
        a_name_being_freed_is_waited_for,
        long_and_partial_lines_are_whole,
        a_followed_log_has_its_last_lines,
        an_image_says_how_it_wants_to_run,
    }
    builds {
        secrets_reach_only_the_step_that_asks,
        a_cache_mount_is_kept_between_builds,
        args_and_other_dockerfiles_are_used,
        output_is_whole_and_in_lines,
        a_small_cached_build_is_quick,
        a_large_context_needs_no_memory,
    }
    failures {
        a_failing_step_is_named,
        an_image_that_cannot_be_pulled_is_named,
        a_syntax_line_that_cannot_be_fetched_is_explained,
        what_is_wrong_before_the_first_step_is_told,
        a_refused_request_is_told,
        an_engine_that_is_not_there_is_told_apart,
    }
    cancel { a_dropped_build_ends_in_the_engine }
    registry { a_base_image_is_pulled_with_a_token }
}

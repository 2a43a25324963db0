//! What every engine promises, shown on the fake one and on the real one.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test binary has no outside, and helpers of tests are tests too"
)]

mod common;
mod contract {
    pub mod builds;
    pub mod containers;
    pub mod foreign;
    pub mod images;
    pub mod networks;
    pub mod output;
    pub mod volumes;
}

use common::{World, within};

/// Runs each named promise on both engines.
macro_rules! promises {
    ($($module:ident { $($promise:ident),* $(,)? })*) => {
        mod fake {
            use super::{World, within};
            $(mod $module {
                use super::{World, within};
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    within(World::fake(), crate::contract::$module::$promise).await;
                })*
            })*
        }
        mod docker {
            use super::{World, within};
            $(mod $module {
                use super::{World, within};
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    if let Some(world) = World::docker().await {
                        within(world, crate::contract::$module::$promise).await;
                    }
                })*
            })*
        }
    };
}

promises! {
    containers {
        calls_may_be_repeated,
        an_absent_container_is_stopped_and_removed,
        the_same_row_is_adopted_and_another_is_not,
        two_creations_at_once_make_one,
        a_created_container_has_ended,
        an_exit_code_is_told,
        a_stop_ends_the_wait,
        what_ignores_the_signal_is_killed,
        a_removal_ends_the_wait,
        memory_is_told_apart,
        a_crash_restarts_only_with_the_policy,
        what_is_missing_is_named,
        a_fixed_address_is_taken_once,
        names_cannot_reach_other_endpoints,
    }
    networks {
        a_network_is_made_once,
        another_subnet_is_refused_naming_both,
        a_network_in_use_stays,
        two_at_once_make_one,
    }
    volumes {
        a_volume_is_made_once,
        a_volume_in_use_stays,
    }
    foreign {
        containers_of_others_are_untouched,
        networks_and_volumes_of_others_are_untouched,
        images_of_others_are_untouched,
    }
    images {
        an_image_is_found_by_tag_and_id,
        the_same_build_is_the_same_image,
        a_tag_goes_and_the_image_stays_for_the_other,
        an_image_in_use_stays,
    }
    output {
        a_log_has_its_last_lines,
        a_followed_log_ends_with_the_container,
        events_tell_a_life_in_order,
    }
    builds {
        a_build_makes_a_labelled_image,
        a_broken_context_is_told,
    }
}

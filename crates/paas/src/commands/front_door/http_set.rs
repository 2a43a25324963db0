use clap::Args;

use crate::{
    commands::{OneApp, setting::change_settings},
    context::Context,
    error::CliError,
};

/// Set how requests are treated; takes effect at once
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  paas http:set blog --max-body 100m --response-timeout 5m\n  paas http:set blog --compression on --sticky on\n  paas http:set blog --max-body ''          takes the setting back"
)]
pub(crate) struct HttpSet {
    #[command(flatten)]
    app: OneApp,
    /// The largest request body, like 100m or 2g; default 1g; more is refused before it is read
    #[arg(long, value_name = "SIZE", alias = "client-max-body-size")]
    max_body: Option<String>,
    /// How long a request's body may bring nothing, like 60s; how long the whole of it takes is not limited
    #[arg(long, value_name = "DURATION")]
    request_timeout: Option<String>,
    /// How long the app may take to begin its answer, like 5m; how long the answer then takes is not limited
    #[arg(long, value_name = "DURATION")]
    response_timeout: Option<String>,
    /// Whether a body is read whole before the app is asked: slow uploads then occupy no worker of it
    #[arg(long, value_name = "on|off")]
    buffer_requests: Option<String>,
    /// Whether answers are compressed that the app has not compressed itself
    #[arg(long, value_name = "on|off")]
    compression: Option<String>,
    /// Whether a visitor stays with one container, by a cookie
    #[arg(long, value_name = "on|off")]
    sticky: Option<String>,
    /// Whether answers say in Server-Timing where their time went
    #[arg(long, value_name = "on|off")]
    server_timing: Option<String>,
    /// How long a request waits while the app is between two versions, like 30s; at most 10m
    #[arg(long, value_name = "DURATION")]
    hold_timeout: Option<String>,
    /// How many requests wait then
    #[arg(long, value_name = "COUNT")]
    hold_requests: Option<String>,
    /// Whether visitors see the maintenance page, as maintenance:on and maintenance:off say
    #[arg(long, value_name = "on|off")]
    maintenance: Option<String>,
}

impl HttpSet {
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let app = self.app.name()?;
        let settings = [
            ("max_body", self.max_body),
            ("request_timeout", self.request_timeout),
            ("response_timeout", self.response_timeout),
            ("buffer_requests", self.buffer_requests),
            ("compression", self.compression),
            ("sticky", self.sticky),
            ("server_timing", self.server_timing),
            ("hold_timeout", self.hold_timeout),
            ("hold_requests", self.hold_requests),
            ("maintenance", self.maintenance),
        ];
        change_settings(context, &app, settings).await
    }
}

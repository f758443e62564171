//! What goes on, told on stderr, and as traces to an OpenTelemetry collector where one is asked for.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing_subscriber::filter::{EnvFilter, LevelFilter, Targets, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::reconcile::chain;
use crate::transport::http::{self, Http, Method};

/// The variables of the OpenTelemetry specification that name a collector; one of them asks for traces.
const COLLECTOR: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON document a line.
    Json,
}

/// Traces on their way to a collector.
#[derive(Debug)]
pub(super) struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Sends what is still here; a collector that does not answer is waited for a few seconds.
    pub(super) async fn end(self) {
        if let Some(provider) = self.0 {
            // It waits for the network, which this thread may be needed for. What failed was said.
            let _ = tokio::task::spawn_blocking(move || provider.shutdown()).await;
        }
    }
}

/// Begins the log. A daemon tells what it does without being asked.
///
/// # Errors
///
/// Where a collector is asked for that cannot be one.
pub(super) fn begin(verbose: u8, format: LogFormat, of_daemon: bool, runtime: &Handle) -> anyhow::Result<Traces> {
    let level = match verbose {
        0 if of_daemon => "gamops=info",
        0 => "error",
        1 => "gamops=info",
        _ => "gamops=debug",
    };
    let filter = EnvFilter::try_from_env("GAMOPS_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let log = match format {
        LogFormat::Text => log
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .boxed(),
        LogFormat::Json => log
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .boxed(),
    };
    // Spans are for the collector; a line of the log says by itself what it is about.
    let log = log
        .with_filter(filter)
        .with_filter(filter_fn(|metadata| metadata.is_event()));
    let provider = provider(runtime)?;
    let traces = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("gamops"))
            .with_location(false)
            .with_threads(false)
            .with_filter(Targets::new().with_target("gamops", LevelFilter::INFO))
    });
    // It fails where somebody else has set a log up, which is then theirs.
    let _ = tracing_subscriber::registry().with(log).with(traces).try_init();
    Ok(Traces(provider))
}

/// What sends traces, if the environment asks for it: the variables are those of the OpenTelemetry specification.
fn provider(runtime: &Handle) -> anyhow::Result<Option<SdkTracerProvider>> {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !COLLECTOR.into_iter().any(is_set) {
        return Ok(None);
    }
    let client = Client {
        http: Http::new(None)?,
        runtime: runtime.clone(),
        fails: Arc::default(),
    };
    let exporter = SpanExporter::builder().with_http().with_http_client(client).build();
    let exporter = exporter.context("sending traces to an OpenTelemetry collector")?;
    let resource = match is_set("OTEL_SERVICE_NAME") {
        true => Resource::builder(),
        false => Resource::builder().with_service_name("gamops"),
    };
    let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let provider = SdkTracerProvider::builder()
        .with_resource(resource.with_attribute(version).build())
        .with_batch_exporter(exporter);
    Ok(Some(provider.build()))
}

/// Our own HTTP for the exporter, which calls from a thread of its own.
#[derive(Debug)]
struct Client {
    http: Http,
    runtime: Handle,
    /// Whether the last try failed: it is said once, not every few seconds.
    fails: Arc<AtomicBool>,
}

impl HttpClient for Client {
    fn send_bytes<'c, 'f>(
        &'c self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>
    where
        'c: 'f,
        Self: 'f,
    {
        let (http, fails) = (self.http.clone(), Arc::clone(&self.fails));
        let sent = self.runtime.spawn(async move {
            let sent = send(&http, request).await;
            let trouble = match &sent {
                Ok(response) if response.status().is_success() => None,
                Ok(response) => Some(format!("it answers with status {}", response.status().as_u16())),
                Err(error) => Some(chain(&**error)),
            };
            let failed = fails.swap(trouble.is_some(), Ordering::Relaxed);
            match trouble {
                Some(trouble) if !failed => {
                    tracing::warn!("the OpenTelemetry collector does not take traces: {trouble}")
                }
                None if failed => tracing::info!("the OpenTelemetry collector takes traces again"),
                _ => {}
            }
            sent
        });
        Box::pin(async move { sent.await? })
    }
}

async fn send(http: &Http, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (head, body) = request.into_parts();
    let headers = head.headers.iter().map(|(name, value)| {
        let value = value.to_str().map(str::to_owned)?;
        Ok::<_, HttpError>((name.as_str().to_owned().into(), value))
    });
    let request = http::Request {
        method: Method::Post,
        url: head.uri.to_string(),
        called: None,
        headers: headers.collect::<Result<_, _>>()?,
        token: None,
        basic: None,
        body: body.to_vec(),
    };
    let mut reply = http.send(request).await?;
    let body = reply.body(usize::MAX).await?;
    Ok(Response::builder().status(reply.status()).body(Bytes::from(body))?)
}

use std::{collections::HashMap, sync::Arc};

use axum::{Extension, Json, extract::State};
use http::StatusCode;
use paas_domain::{AppId, AppName};
use paas_store::{App, ContainerRow, Release, Store, StoreError};

use super::app_info;
use crate::{
    server::{
        extract::Body,
        failure::Failure,
        identity::Identity,
        rule::is_going,
        state::{self, Shared, blocking},
        view::{Running, deploying, time},
    },
    wire::{AppInfo, AppSummary, CreateApp, DestroyApp, RenameApp},
};

pub(crate) async fn list(
    State(shared): State<state::State>,
    Extension(identity): Extension<Identity>,
) -> Result<Json<Vec<AppSummary>>, Failure> {
    let deployer = Arc::clone(shared.deployer());
    let stored = shared.store(move |store| Stored::read(store, &identity));
    let (stored, running) = tokio::join!(stored, Running::look(&shared));
    let Stored { apps, containers, running: deploys } = stored?;
    let deploys = deploying(&deploys);
    let summary = |(app, release): (App, Option<Release>)| {
        let rows: Vec<_> = containers.get(&app.id).into_iter().flatten().collect();
        AppSummary {
            state: running.state(&app, deploys.contains(&app.id), &rows),
            urls: deployer.urls(&app),
            release: release.as_ref().map(|release| release.version),
            since: release.map(|release| time(release.created_at)),
            name: app.name,
        }
    };
    let mut list: Vec<_> = apps.into_iter().map(summary).collect();
    list.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Json(list))
}

struct Stored {
    apps: Vec<(App, Option<Release>)>,
    containers: HashMap<AppId, Vec<ContainerRow>>,
    running: Vec<paas_store::Deploy>,
}

impl Stored {
    fn read(store: &Store, identity: &Identity) -> Result<Self, StoreError> {
        let mut containers: HashMap<_, Vec<_>> = HashMap::new();
        for row in store.all_containers()? {
            containers.entry(row.app).or_default().push(row);
        }
        let mine = store.list_apps()?.into_iter().filter(|app| identity.may_use(&app.name) && !is_going(app));
        let with_release = |app: App| {
            let release = app.release.map(|release| store.get_release(release)).transpose()?;
            Ok((app, release))
        };
        let apps = mine.map(with_release).collect::<Result<_, StoreError>>()?;
        Ok(Self { apps, containers, running: store.running_deploys()? })
    }
}

pub(crate) async fn create(
    State(shared): State<state::State>,
    Body(request): Body<CreateApp>,
) -> Result<(StatusCode, Json<AppInfo>), Failure> {
    let app = make(&shared, request.name).await?;
    Ok((StatusCode::CREATED, Json(app_info::read(&shared, app).await?)))
}

/// Makes an app that will have a hostname.
pub(super) async fn make(shared: &Shared, name: AppName) -> Result<App, Failure> {
    let settings = shared.deployer().settings();
    if settings.default_host(&name).is_none() {
        let message = format!("{name}.{} is too long for a hostname", settings.domain);
        return Err(Failure::refused(message).hint("choose a shorter name"));
    }
    let domain = settings.domain.clone();
    let app = shared.store(move |store| store.create_app(&name, &domain)).await?;
    tracing::info!(app.name = %app.name, app.id = app.id.0, "created the app");
    Ok(app)
}

pub(crate) async fn show(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
) -> Result<Json<AppInfo>, Failure> {
    Ok(Json(app_info::read(&shared, app).await?))
}

pub(crate) async fn rename(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
    Body(request): Body<RenameApp>,
) -> Result<Json<AppInfo>, Failure> {
    let (id, name) = (app.id, request.name);
    let settings = shared.deployer().settings();
    if settings.default_host(&name).is_none() {
        return Err(
            Failure::refused(format!("{name} is too long for a hostname")).hint("choose a shorter name")
        );
    }
    let domain = settings.domain.clone();
    let renamed = shared
        .store(move |store| {
            store.rename_app(id, &name, &domain)?;
            store.get_app_by_id(id)
        })
        .await?;
    tracing::info!(app.name = %renamed.name, app.id = id.0, "renamed the app from {}", app.name);
    // Other apps may have lost paths of the name given up.
    shared.deployer().reconcile_soon();
    shared.deployer().apply_routes(id).await?;
    Ok(Json(app_info::read(&shared, renamed).await?))
}

pub(crate) async fn destroy(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
    Body(request): Body<DestroyApp>,
) -> Result<Json<()>, Failure> {
    remove(&shared, &app, request.volumes).await?;
    Ok(Json(()))
}

/// Destroys an app and its repository. It goes on when the caller goes away.
pub(super) async fn remove(shared: &Shared, app: &App, volumes: bool) -> Result<(), Failure> {
    let (deployer, repositories, id) =
        (Arc::clone(shared.deployer()), shared.control.repositories.clone(), app.id);
    tracing::info!(app.name = %app.name, app.id = id.0, volumes, "destroying the app");
    let work = async move {
        let destroyed = deployer.destroy_app(id, volumes).await;
        // Also when the engine does the rest later: the app is gone for everybody.
        blocking(move || repositories.remove(id)).await?;
        Ok(destroyed?)
    };
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(error) => Err(Failure::internal("the app was not destroyed completely", &error)),
    }
}

use axum::{Extension, Json, extract::State};
use http::StatusCode;
use paas_domain::IpRange;
use paas_store::{App, FrontDoor, Release, Store, StoreError};

use super::setting_info;
use crate::{
    server::{extract::Body, failure::Failure, state},
    wire::{ChangeIpRange, IpList, IpRanges, IpRangesInfo},
};

pub(crate) async fn list(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
) -> Result<Json<IpRangesInfo>, Failure> {
    let (door, release) = shared.store(move |store| read(store, &app)).await?;
    let http = release.as_ref().map(|release| &release.spec.declared.http);
    let list = |(ranges, source)| IpRanges { ranges, source };
    Ok(Json(IpRangesInfo {
        allow: list(setting_info::ranges(&door.allow, http.and_then(|http| http.allow.as_deref()))),
        trusted_proxies: list(setting_info::ranges(
            &door.trusted_proxies,
            http.and_then(|http| http.trusted_proxies.as_deref()),
        )),
    }))
}

pub(crate) async fn add(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
    Body(request): Body<ChangeIpRange>,
) -> Result<(StatusCode, Json<()>), Failure> {
    let range = checked(&request)?;
    let list = stored(request.list);
    let added = shared.store(move |store| store.add_ip_range(app.id, list, &range)).await?;
    tracing::info!(app.name = %app.name, ?list, %range, added, "added a range of addresses");
    shared.deployer().apply_routes(app.id).await?;
    Ok((if added { StatusCode::CREATED } else { StatusCode::OK }, Json(())))
}

pub(crate) async fn remove(
    State(shared): State<state::State>,
    Extension(app): Extension<App>,
    Body(request): Body<ChangeIpRange>,
) -> Result<Json<()>, Failure> {
    let (list, range) = (stored(request.list), request.range);
    shared.store(move |store| store.remove_ip_range(app.id, list, &range)).await?;
    tracing::info!(app.name = %app.name, ?list, %range, "removed a range of addresses");
    shared.deployer().apply_routes(app.id).await?;
    Ok(Json(()))
}

fn read(store: &Store, app: &App) -> Result<(FrontDoor, Option<Release>), StoreError> {
    let release = app.release.map(|release| store.get_release(release)).transpose()?;
    Ok((store.front_door(app.id)?, release))
}

fn checked(request: &ChangeIpRange) -> Result<IpRange, Failure> {
    Ok(match request.list {
        IpList::Allow => request.range,
        IpList::TrustedProxies => request.range.check_trusted()?,
    })
}

fn stored(list: IpList) -> paas_store::IpList {
    match list {
        IpList::Allow => paas_store::IpList::Allow,
        IpList::TrustedProxies => paas_store::IpList::TrustedProxies,
    }
}

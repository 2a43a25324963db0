use std::net::Ipv4Addr;

use paas_domain::{AppId, ContainerId, DeployId, DeployState, ProcessType, ReleaseId, ReleaseVersion};
use rusqlite::{Connection, Params, Row, Transaction, params};

use crate::{
    deploys,
    error::{StoreError, inconsistent},
    pool::HOSTS,
    store::{Result, Store},
};

/// A container that should be, or that still has to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerRow {
    /// In its label.
    pub id: ContainerId,
    /// Its app.
    pub app: AppId,
    /// The deploy that made it.
    pub deploy: DeployId,
    /// The release it runs.
    pub release: ReleaseId,
    /// `None` for the release command's.
    pub process_type: Option<ProcessType>,
    /// From 1, for each process type.
    pub number: u16,
    /// The engine's name of it.
    pub name: String,
    /// Its fixed address.
    pub address: Ipv4Addr,
}

const COLUMNS: &str = "containers.id, app_id, deploy_id, containers.release_id, process_type, number, containers.name, address, apps.subnet";
const FROM: &str = "containers JOIN apps ON apps.id = containers.app_id";

/// A process type and the number of one container of it.
type Slot<'a> = (Option<&'a ProcessType>, u16);

impl Store {
    /// Records every container of a deploy, and that it is starting them. No address is given again before the app's whole range has gone round.
    pub fn plan_containers(
        &self,
        deploy: DeployId,
        counts: &[(ProcessType, u16)],
    ) -> Result<Vec<ContainerRow>> {
        let slots =
            counts.iter().flat_map(|(name, count)| (1..=*count).map(move |number| (Some(name), number)));
        let slots: Vec<Slot<'_>> = slots.collect();
        self.plan(deploy, DeployState::Starting, &slots)
    }

    /// Records the release command's container, and that it is being run.
    pub fn plan_release_command(&self, deploy: DeployId) -> Result<ContainerRow> {
        let rows = self.plan(deploy, DeployState::Releasing, &[(None, 1)])?;
        rows.into_iter().next().ok_or(StoreError::NoRow { what: "container of deploy", id: deploy.0 })
    }

    /// The app's containers.
    pub fn containers(&self, app: AppId) -> Result<Vec<ContainerRow>> {
        self.read(|db| self.list(db, "app_id = ?1", [app.0]))
    }

    /// One deploy's containers.
    pub fn containers_of_deploy(&self, deploy: DeployId) -> Result<Vec<ContainerRow>> {
        self.read(|db| self.list(db, "deploy_id = ?1", [deploy.0]))
    }

    /// Every app's containers.
    pub fn all_containers(&self) -> Result<Vec<ContainerRow>> {
        self.read(|db| self.list(db, "TRUE", []))
    }

    /// Forgets a container that is gone; absent is fine.
    pub fn delete_container(&self, container: ContainerId) -> Result<()> {
        self.write(|db| {
            db.execute("DELETE FROM containers WHERE id = ?1", [container.0])?;
            Ok(())
        })
    }

    fn plan(&self, deploy: DeployId, state: DeployState, slots: &[Slot<'_>]) -> Result<Vec<ContainerRow>> {
        self.write(|db| {
            let row = deploys::get(db, deploy)?;
            let release = row.release.ok_or(StoreError::NoRelease(deploy))?;
            deploys::advance(db, deploy, state)?;
            let names = names(db, row.app, deploy, release, slots)?;
            for ((process_type, number), name) in slots.iter().zip(names) {
                db.execute(
                    "INSERT INTO containers (app_id, deploy_id, release_id, process_type, number, name, address) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![
                        row.app.0,
                        deploy.0,
                        release.0,
                        process_type.map(ProcessType::as_str),
                        number,
                        name,
                        next_address(db, row.app)?
                    ],
                )?;
            }
            let planned = self.list(db, "deploy_id = ?1", [deploy.0])?;
            // The release command's row may not be gone yet when a later state is planned again after a crash; only what was asked for is told.
            Ok(planned
                .into_iter()
                .filter(|row| slots.iter().any(|(name, number)| row.process_type.as_ref() == *name && row.number == *number))
                .collect())
        })
    }

    fn list(&self, db: &Connection, condition: &str, values: impl Params) -> Result<Vec<ContainerRow>> {
        let mut query = db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM {FROM} WHERE {condition} ORDER BY containers.id"
        ))?;
        query.query_map(values, |row| Ok(self.container(row)))?.map(|row| row?).collect()
    }

    fn container(&self, row: &Row<'_>) -> Result<ContainerRow> {
        let id: i64 = row.get(0)?;
        let app: i64 = row.get(1)?;
        let process_type: Option<String> = row.get(4)?;
        let process_type = process_type.map(ProcessType::new).transpose();
        Ok(ContainerRow {
            id: ContainerId(id),
            app: AppId(app),
            deploy: DeployId(row.get(2)?),
            release: ReleaseId(row.get(3)?),
            process_type: process_type.map_err(|error| inconsistent("containers", id, error))?,
            number: row.get(5)?,
            name: row.get(6)?,
            address: self.subnet(row.get(8)?, app)?.host(row.get(7)?),
        })
    }
}

/// `paas-<app>-<type>-<n>-v<version>`; when the release was deployed before, or a name is still taken, `-2`, `-3`, … after it, the same for all.
fn names(
    db: &Transaction<'_>,
    app: AppId,
    deploy: DeployId,
    release: ReleaseId,
    slots: &[Slot<'_>],
) -> Result<Vec<String>> {
    let name: String = db.query_row("SELECT name FROM apps WHERE id = ?1", [app.0], |row| row.get(0))?;
    let version: u32 =
        db.query_row("SELECT version FROM releases WHERE id = ?1", [release.0], |row| row.get(0))?;
    let earlier: u32 = db.query_row(
        "SELECT count(*) FROM deploys WHERE release_id = ?1 AND id < ?2",
        params![release.0, deploy.0],
        |row| row.get(0),
    )?;
    for attempt in earlier + 1.. {
        let suffix = if attempt == 1 { String::new() } else { format!("-{attempt}") };
        let names: Vec<String> = slots
            .iter()
            .map(|(process_type, number)| match process_type {
                Some(process_type) => {
                    format!("paas-{name}-{process_type}-{number}-{}{suffix}", ReleaseVersion(version))
                }
                None => format!("paas-{name}-release-{}{suffix}", ReleaseVersion(version)),
            })
            .collect();
        let mut taken = db.prepare_cached("SELECT EXISTS (SELECT 1 FROM containers WHERE name = ?1)")?;
        let mut free = true;
        for name in &names {
            free &= !taken.query_row([name], |row| row.get::<_, bool>(0))?;
        }
        if free {
            return Ok(names);
        }
    }
    Err(inconsistent("containers", deploy, "no name is free"))
}

/// The next free host number going round the range, so that an address rests before it is used again.
fn next_address(db: &Transaction<'_>, app: AppId) -> Result<u8> {
    let next: u8 = db.query_row("SELECT next_address FROM apps WHERE id = ?1", [app.0], |row| row.get(0))?;
    let mut query = db.prepare_cached("SELECT address FROM containers WHERE app_id = ?1")?;
    let used: Vec<u8> = query.query_map([app.0], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let (first, last) = (*HOSTS.start(), *HOSTS.end());
    let next = next.clamp(first, last);
    let address = (next..=last)
        .chain(first..next)
        .find(|host| !used.contains(host))
        .ok_or(StoreError::AddressesExhausted)?;
    let after = if address == last { first } else { address + 1 };
    db.execute("UPDATE apps SET next_address = ?2 WHERE id = ?1", params![app.0, after])?;
    Ok(address)
}

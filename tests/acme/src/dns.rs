use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::{
    op::{Message, OpCode, Query, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, AAAA, CAA, CNAME, TXT},
    },
};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// A DNS server over UDP that says what it is told: names it was not told of do not exist.
///
/// TXT records can come from a directory too ([`TestDns::txt_from`]): a file's name is the record's, each line a value. So a hook of a few
/// lines of shell can set them.
pub struct TestDns {
    address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct Zone {
    records: HashMap<String, Vec<RData>>,
    codes: HashMap<(String, Option<RecordType>), ResponseCode>,
    silent: Vec<String>,
    asked: Vec<(String, RecordType)>,
    directory: Option<PathBuf>,
}

impl TestDns {
    /// Starts one at a free port of this address.
    pub async fn start(address: IpAddr) -> Self {
        let socket = UdpSocket::bind((address, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let zone = Arc::<Mutex<Zone>>::default();
        let server = tokio::spawn(serve(socket, Arc::clone(&zone)));
        Self { address, zone, server }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Adds an A or AAAA record.
    pub fn point(&self, name: &str, to: IpAddr) {
        let data = match to {
            IpAddr::V4(to) => RData::A(A(to)),
            IpAddr::V6(to) => RData::AAAA(AAAA(to)),
        };
        self.add(name, data);
    }

    /// Makes a name an alias of another: answers hold the CNAME record and the other's records.
    pub fn alias(&self, name: &str, of: &str) {
        self.add(name, RData::CNAME(CNAME(Name::from_ascii(format!("{of}.")).unwrap())));
    }

    /// Adds a CAA record with this tag and value.
    pub fn caa(&self, name: &str, critical: bool, tag: &str, value: &str) {
        let mut caa = CAA::new_issue(critical, None, Vec::new());
        (caa.tag, caa.value) = (tag.to_owned(), value.as_bytes().to_vec());
        self.add(name, RData::CAA(caa));
    }

    /// Makes a name exist, without a record.
    pub fn exist(&self, name: &str) {
        self.lock().records.entry(name.to_owned()).or_default();
    }

    /// Answers questions about a name with this code, all of them or those of one type.
    pub fn fail(&self, name: &str, kind: Option<RecordType>, code: ResponseCode) {
        self.lock().codes.insert((name.to_owned(), kind), code);
    }

    /// Answers questions about a name with SERVFAIL, all of them or those for CAA records.
    pub fn servfail(&self, name: &str, caa_only: bool) {
        self.fail(name, caa_only.then_some(RecordType::CAA), ResponseCode::ServFail);
    }

    /// Never answers questions about a name.
    pub fn silence(&self, name: &str) {
        self.lock().silent.push(name.to_owned());
    }

    /// Forgets a name.
    pub fn forget(&self, name: &str) {
        let mut zone = self.lock();
        zone.records.remove(name);
        zone.codes.retain(|(known, _), _| known != name);
        zone.silent.retain(|known| known != name);
    }

    /// Reads TXT records from the files of a directory.
    pub fn txt_from(&self, directory: impl Into<PathBuf>) {
        self.lock().directory = Some(directory.into());
    }

    /// How often a name was asked for.
    pub fn asked(&self, name: &str) -> usize {
        self.lock().asked.iter().filter(|(asked, _)| asked == name).count()
    }

    fn add(&self, name: &str, data: RData) {
        self.lock().records.entry(name.to_owned()).or_default().push(data);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Zone> {
        self.zone.lock().unwrap()
    }
}

impl Drop for TestDns {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(socket: UdpSocket, zone: Arc<Mutex<Zone>>) {
    let mut buffer = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let answer = Message::from_vec(&buffer[..length])
            .ok()
            .and_then(|question| zone.lock().unwrap().answer(&question));
        if let Some(answer) = answer {
            socket.send_to(&answer, from).await.unwrap();
        }
    }
}

impl Zone {
    fn answer(&mut self, question: &Message) -> Option<Vec<u8>> {
        let query = question.queries.first()?;
        let name = query.name().to_ascii().trim_end_matches('.').to_ascii_lowercase();
        self.asked.push((name.clone(), query.query_type()));
        if self.silent.contains(&name) {
            return None;
        }
        let mut answer = Message::response(question.id, OpCode::Query);
        answer.add_query(query.clone());
        answer.metadata.recursion_desired = question.recursion_desired;
        answer.metadata.recursion_available = true;
        answer.metadata.response_code = self.code(&name, query.query_type());
        if answer.response_code == ResponseCode::NoError {
            self.records(&name, query.name(), query).into_iter().for_each(|record| {
                answer.add_answer(record);
            });
        }
        Some(answer.to_vec().unwrap())
    }

    fn code(&self, name: &str, kind: RecordType) -> ResponseCode {
        let told = [Some(kind), None].into_iter().find_map(|kind| self.codes.get(&(name.to_owned(), kind)));
        let known = self.records.contains_key(name) || !self.texts(name).is_empty();
        told.copied().unwrap_or(if known { ResponseCode::NoError } else { ResponseCode::NXDomain })
    }

    fn records(&self, name: &str, owner: &Name, query: &Query) -> Vec<Record> {
        let told = self.records.get(name).cloned().unwrap_or_default();
        let texts = self.texts(name).into_iter().map(|text| RData::TXT(TXT::new(vec![text])));
        let mut records = Vec::new();
        for data in told.into_iter().chain(texts) {
            if let RData::CNAME(CNAME(target)) = &data {
                let target_name = target.to_ascii().trim_end_matches('.').to_owned();
                records.push(Record::from_rdata(owner.clone(), 0, data.clone()));
                records.extend(self.records(&target_name, target, query));
            } else if data.record_type() == query.query_type() {
                records.push(Record::from_rdata(owner.clone(), 0, data));
            }
        }
        records
    }

    fn texts(&self, name: &str) -> Vec<String> {
        let file = self.directory.as_ref().map(|directory| directory.join(name));
        let text = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

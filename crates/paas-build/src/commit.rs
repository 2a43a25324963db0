use paas_domain::CommitId;

/// What is shown of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// Its id; an annotated tag has been followed.
    pub id: CommitId,
    /// First line of its message, without control characters.
    pub summary: String,
    /// Its author's name, without control characters.
    pub author: String,
    /// When it was committed, in seconds since 1970. The client says so: it may be any time.
    pub time: i64,
}

impl CommitInfo {
    pub(crate) fn of(id: CommitId, commit: &git2::Commit<'_>) -> Self {
        let summary = commit.summary_bytes().unwrap_or_default();
        let author = commit.author();
        Self {
            id,
            summary: plain(summary),
            author: plain(author.name_bytes()),
            time: commit.time().seconds(),
        }
    }
}

fn plain(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
}

use std::{
    io,
    os::fd::BorrowedFd,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use super::{Activity, joined, joined::joined};
use crate::{config::Limits, worker_turn::WorkerTurn};

/// How long a client may keep us waiting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) header: Duration,
    pub(crate) idle: Duration,
    pub(crate) stall: Duration,
    /// How long it may do so in all before the rate is looked at at which it takes answers.
    pub(crate) grace: Duration,
    /// The least bytes for each second beyond.
    pub(crate) rate: u32,
}

impl From<&Limits> for Patience {
    fn from(limits: &Limits) -> Self {
        Self {
            header: limits.header_timeout,
            idle: limits.idle_timeout,
            stall: limits.stall_timeout,
            grace: limits.body_grace,
            rate: limits.body_rate,
        }
    }
}

/// After it was said that an HTTP/2 connection has idled for too long: how long until it is cut, should that not help.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What the reading side waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    /// The header of a request; the deadline is hard.
    Header,
    /// The next request of a kept-alive connection.
    NextRequest,
    /// Nothing: a request is being served, its own deadlines hold.
    Nothing,
}

/// A client's byte stream that ends with `TimedOut` when a header, the next request, or the taking of an answer takes too long.
///
/// One for HTTP/1.1 and HTTP/2, which know nothing of clients that do not read.
#[derive(Debug)]
pub(crate) struct Guarded<S> {
    stream: S,
    /// Where the socket is, if it stands on one.
    socket: Option<for<'a> fn(&'a S) -> Option<BorrowedFd<'a>>>,
    activity: Arc<Activity>,
    patience: Patience,
    /// HTTP/2 has frames that are no requests: bytes on an idle connection start no header.
    multiplexed: bool,
    /// It was said once that the connection has idled for too long.
    said: bool,
    read: bool,
    waiting: Waiting,
    seen: usize,
    deadline: Instant,
    read_timer: Option<Pin<Box<Sleep>>>,
    read_end: End,
    /// A write that waits.
    stalled: Option<Stalled>,
    /// For how long writes have waited before.
    waited: Duration,
    /// How many bytes were written.
    taken: u64,
    write_timer: Option<Pin<Box<Sleep>>>,
    write_end: End,
}

/// The wait for a turn to end. Thousands that came at the same moment are over at the same moment.
#[derive(Debug, Default)]
struct End(Option<Box<WorkerTurn>>);

impl End {
    /// `over` itself while that is pending, else pending until it is its turn.
    fn turn(&mut self, over: Poll<io::Result<()>>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if over.is_pending() {
            self.0 = None;
        } else {
            ready!(self.0.get_or_insert_with(|| Box::new(WorkerTurn::of_end())).poll(cx));
        }
        over
    }
}

impl<S> Guarded<S> {
    pub(crate) fn new(stream: S, activity: Arc<Activity>, patience: Patience) -> Self {
        Self {
            stream,
            socket: None,
            activity,
            patience,
            multiplexed: false,
            said: false,
            read: false,
            waiting: Waiting::Header,
            seen: 0,
            deadline: Instant::now() + patience.header,
            read_timer: None,
            read_end: End::default(),
            stalled: None,
            waited: Duration::ZERO,
            taken: 0,
            write_timer: None,
            write_end: End::default(),
        }
    }

    /// Lets requests see that their client has gone.
    pub(crate) fn on_socket(mut self, socket: for<'a> fn(&'a S) -> Option<BorrowedFd<'a>>) -> Self {
        self.socket = Some(socket);
        self
    }

    pub(crate) fn multiplex(&mut self) {
        self.multiplexed = true;
    }

    /// Whether the client has sent anything yet.
    pub(crate) fn has_read(&self) -> bool {
        self.read
    }

    fn on_bytes(&mut self) {
        self.read = true;
        self.activity.hear();
        let requests = self.activity.requests();
        let between_requests = self.waiting != Waiting::Header || requests != self.seen;
        if between_requests && !self.multiplexed && !self.activity.is_busy() {
            self.seen = requests;
            self.waiting = Waiting::Header;
            self.deadline = Instant::now() + self.patience.header;
            self.read_end = End::default();
        }
    }

    /// A write begins to wait; says until when it may.
    fn stall(&mut self) -> Instant {
        self.activity.block(true);
        let Patience { stall, grace, rate, .. } = self.patience;
        let earned = Duration::from_secs(self.taken / u64::from(rate.max(1)));
        let since = Instant::now();
        let deadline = since + stall.min((grace + earned).saturating_sub(self.waited));
        self.stalled = Some(Stalled { since, deadline });
        deadline
    }

    fn on_nothing_to_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The end of an answer may be on its way when nobody serves it any more: then the write has its own time.
        if self.activity.is_busy() || self.stalled.is_some() {
            self.waiting = Waiting::Nothing;
            return Poll::Pending;
        }
        let requests = self.activity.requests();
        if self.waiting == Waiting::Nothing || requests != self.seen {
            self.seen = requests;
            self.waiting = Waiting::NextRequest;
            self.deadline = Instant::now() + self.patience.idle;
        }
        let over = elapsed(&mut self.read_timer, self.deadline, cx);
        let over = self.read_end.turn(over, cx);
        if over.is_ready() && self.multiplexed && !self.said {
            self.said = true;
            self.activity.tire();
            self.deadline = Instant::now() + LAST_WORDS;
            self.read_end = End::default();
            return elapsed(&mut self.read_timer, self.deadline, cx);
        }
        over
    }

    fn on_write(
        &mut self,
        outcome: Poll<io::Result<usize>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(written) = &outcome {
            self.taken += written.as_ref().map_or(0, |count| *count as u64);
            if let Some(stalled) = self.stalled.take() {
                self.waited += stalled.since.elapsed();
                self.activity.block(false);
                // Whoever reads was not told until when.
                cx.waker().wake_by_ref();
            }
            return outcome;
        }
        let deadline = match self.stalled {
            Some(Stalled { deadline, .. }) => deadline,
            None => self.stall(),
        };
        let over = elapsed(&mut self.write_timer, deadline, cx);
        match self.write_end.turn(over, cx) {
            Poll::Ready(Err(timed_out)) => Poll::Ready(Err(timed_out)),
            _ => Poll::Pending,
        }
    }
}

/// A write that waits for its client.
#[derive(Debug, Clone, Copy)]
struct Stalled {
    since: Instant,
    /// Until when it may.
    deadline: Instant,
}

/// `TimedOut` once the deadline has passed, else pending with the task woken at the deadline at the latest.
///
/// A timer that is set too early is left alone until it fires: a busy connection's deadline moves with every request.
pub(crate) fn elapsed(
    timer: &mut Option<Pin<Box<Sleep>>>,
    deadline: Instant,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
    if timer.deadline() > deadline {
        timer.as_mut().reset(deadline);
    }
    loop {
        ready!(timer.as_mut().poll(cx));
        if timer.deadline() == deadline {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        timer.as_mut().reset(deadline);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Pending => this.on_nothing_to_read(cx),
            ready @ Poll::Ready(_) => {
                this.on_bytes();
                ready
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.on_write(outcome, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut together = [0; joined::MOST];
        let outcome = match joined(bufs, &mut together) {
            Some(bytes) => Pin::new(&mut self.stream).poll_write(cx, bytes),
            None => Pin::new(&mut self.stream).poll_write_vectored(cx, bufs),
        };
        self.on_write(outcome, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(socket) = self.socket.filter(|_| !self.multiplexed) {
            self.activity.leaving().offer(|| socket(&self.stream));
        }
        // Not timed: it says nothing about bytes taken, and must not make a stalled write look like a moving one.
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket is closed right after, which tells the client the same, with one system call less. A tunnel may end one way.
        if self.socket.is_some() && !self.activity.is_tunnel() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    const PATIENCE: Patience = Patience {
        header: Duration::from_secs(10),
        idle: Duration::from_mins(1),
        stall: Duration::from_secs(30),
        grace: Duration::from_secs(40),
        rate: 10,
    };

    fn pair(activity: Arc<Activity>) -> (DuplexStream, Guarded<DuplexStream>) {
        let (client, server) = duplex(64);
        (client, Guarded::new(server, activity, PATIENCE))
    }

    #[tokio::test(start_paused = true)]
    async fn a_header_has_a_hard_deadline() {
        let (mut client, server) = duplex(64);
        let mut server = Guarded::new(server, Arc::default(), PATIENCE);
        let begin = Instant::now();
        let drip = tokio::spawn(async move {
            while client.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        let mut all = Vec::new();
        let error = server.read_to_end(&mut all).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(begin.elapsed().as_secs(), 10);
        drop(server);
        drip.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn many_that_are_over_at_one_moment_end_one_after_the_other() {
        let begin = Instant::now();
        let tasks = tokio::task::LocalSet::new();
        let ends: Vec<_> = (0..40)
            .map(|_| {
                tasks.spawn_local(async move {
                    let (_client, server) = duplex(64);
                    let outcome = Guarded::new(server, Arc::default(), PATIENCE).read_u8().await;
                    assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::TimedOut);
                    begin.elapsed()
                })
            })
            .collect();
        tasks.await;
        let ends = futures_util::future::try_join_all(ends).await.unwrap();
        assert_eq!(ends[0], PATIENCE.header);
        assert!(ends[39] > PATIENCE.header + Duration::from_millis(5), "{ends:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_over_and_goes_on_after_all_keeps_no_other_open() {
        async fn is_pending(server: &mut Guarded<DuplexStream>) -> bool {
            let mut byte = [0];
            poll_fn(|cx| {
                Poll::Ready(Pin::new(&mut *server).poll_read(cx, &mut ReadBuf::new(&mut byte)).is_pending())
            })
            .await
        }
        let activity = Arc::new(Activity::default());
        let (_first, mut one) = pair(Arc::default());
        let (mut client, mut two) = pair(Arc::clone(&activity));
        let (_third, mut three) = pair(Arc::default());
        tokio::time::advance(PATIENCE.header).await;
        assert!(!is_pending(&mut one).await, "it ends at once");
        assert!(is_pending(&mut two).await && is_pending(&mut three).await, "they wait for their turns");
        client.write_all(b"x").await.unwrap();
        assert!(!is_pending(&mut two).await, "it goes on");
        let _busy = activity.begin();
        assert!(is_pending(&mut two).await);
        let mut byte = [0];
        let ended = tokio::time::timeout(Duration::from_secs(1), three.read(&mut byte)).await.unwrap();
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_connection_may_be_silent_and_an_idle_one_ends() {
        let (_client, server) = duplex(64);
        let activity = Arc::new(Activity::default());
        let mut server = Guarded::new(server, Arc::clone(&activity), PATIENCE);
        let busy = activity.begin();
        let mut byte = [0];
        assert!(tokio::time::timeout(Duration::from_mins(10), server.read(&mut byte)).await.is_err());
        drop(busy);
        let begin = Instant::now();
        assert_eq!(server.read(&mut byte).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(begin.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_header_has_its_own_deadline() {
        let (mut client, server) = duplex(64);
        let activity = Arc::new(Activity::default());
        let mut server = Guarded::new(server, Arc::clone(&activity), PATIENCE);
        let mut byte = [0];
        for _ in 0..3 {
            client.write_all(b"x").await.unwrap();
            server.read_exact(&mut byte).await.unwrap();
            // Begun and ended without a read in between.
            drop(activity.begin());
            tokio::time::advance(Duration::from_secs(9)).await;
        }
        client.write_all(b"x").await.unwrap();
        server.read_exact(&mut byte).await.unwrap();
        let begin = Instant::now();
        assert_eq!(server.read(&mut byte).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(begin.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_left() {
        let (_client, server) = duplex(8);
        let mut server = Guarded::new(server, Arc::default(), PATIENCE);
        let begin = Instant::now();
        assert_eq!(server.write_all(&[0; 64]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(begin.elapsed().as_secs(), 30);
    }
    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_a_byte_now_and_then_is_left() {
        let (mut client, server) = duplex(8);
        let mut server = Guarded::new(server, Arc::default(), PATIENCE);
        let begin = Instant::now();
        let drip = tokio::spawn(async move {
            while client.read_u8().await.is_ok() {
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        });
        let error = server.write_all(&[0; 1000]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        // The grace, and a second more for each ten bytes.
        assert!((40..=45).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
        drop(server);
        drip.await.unwrap();
    }
    #[tokio::test(start_paused = true)]
    async fn the_end_of_an_answer_is_not_cut_as_an_idle_connection() {
        let (mut client, server) = duplex(8);
        let (mut read, mut write) = tokio::io::split(Guarded::new(server, Arc::default(), PATIENCE));
        let begin = Instant::now();
        // Slower than a connection may idle, faster than a client has to take an answer.
        let client = tokio::spawn(async move {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_secs(9)).await;
                client.read_exact(&mut [0; 100]).await.unwrap();
            }
            client
        });
        // In one task.
        let (next, written) = tokio::join!(read.read_u8(), write.write_all(&[7; 1000]));
        written.unwrap();
        assert_eq!(next.unwrap_err().kind(), io::ErrorKind::TimedOut);
        // The answer took 90 s.
        assert!(begin.elapsed() >= Duration::from_secs(149), "{:?}", begin.elapsed());
        drop(client.await.unwrap());
    }
}

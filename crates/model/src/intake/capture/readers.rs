//! Reads the pages of one epoch by several threads, and hands them over in their order.

use std::sync::{Mutex, MutexGuard, PoisonError};

use nats_hindsight_bundle::{Container, Reader};
use nats_hindsight_snapshot::format::{ReadAt, Reply};
use rayon::prelude::*;

use super::page::{Held, Page, Told, Useless};

/// Bytes that the pages unpack to which one thread reads in a row, more or less: enough that handing
/// out work costs nothing, little enough that no thread waits long for another.
const STRETCH: u64 = 256 << 10;

/// How many of these there are for each thread before all is handed over that was read: what pages
/// tell is held until then.
const PER_THREAD: usize = 8;

/// What became of a page.
type Shown<T> = Result<(Told, T), Useless>;

/// Readers of one container, lent to whoever reads: there are never more than threads.
pub(super) struct Readers<'a> {
    from: Option<(&'a Container, &'a dyn ReadAt)>,
    idle: Mutex<Vec<Reader<'a>>>,
}

impl<'a> Readers<'a> {
    pub(super) fn new(container: Option<&'a Container>, source: Option<&'a dyn ReadAt>) -> Self {
        Self { from: container.zip(source), idle: Mutex::default() }
    }

    /// Lends a reader, if there is anything to read from.
    pub(super) fn lend<T>(&self, work: impl FnOnce(Option<&mut Reader<'a>>) -> T) -> T {
        let Some((container, source)) = self.from else { return work(None) };
        let idle = self.idle().pop();
        let mut reader = idle.unwrap_or_else(|| Reader::new(container, source));
        let done = work(Some(&mut reader));
        self.idle().push(reader);
        done
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Reader<'a>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads pages, by all threads of the pool this is called in. Whoever takes what is made of them
    /// gets it in their order, from one thread.
    pub(super) fn each<'p, T: Send>(
        &self,
        pages: &[Page<'p>],
        look: &(dyn Fn(&Reply<'_>) -> T + Sync),
        take: &mut dyn FnMut(&Page<'p>, Shown<T>),
    ) {
        let stretches = self.stretches(pages);
        for some in stretches.chunks(rayon::current_num_threads() * PER_THREAD) {
            let read = |of: &&[Page<'p>]| self.stretch(of, look);
            let read: Vec<Vec<Shown<T>>> = some.par_iter().map(read).collect();
            let pages = some.iter().copied().flatten();
            for (page, shown) in pages.zip(read.into_iter().flatten()) {
                take(page, shown);
            }
        }
    }

    fn stretch<T>(
        &self,
        pages: &[Page<'_>],
        look: &(dyn Fn(&Reply<'_>) -> T + Sync),
    ) -> Vec<Shown<T>> {
        self.lend(|mut reader| {
            pages.iter().map(|page| page.show(reader.as_deref_mut(), look)).collect()
        })
    }

    /// Pages in a row that are read by one thread.
    fn stretches<'s, 'p>(&self, pages: &'s [Page<'p>]) -> Vec<&'s [Page<'p>]> {
        let (mut all, mut rest, mut bytes, mut count) = (Vec::new(), pages, 0_u64, 0);
        for page in pages {
            count += 1;
            bytes = bytes.saturating_add(self.length(page));
            if bytes >= STRETCH {
                let (stretch, behind) = rest.split_at(count);
                all.push(stretch);
                (rest, bytes, count) = (behind, 0, 0);
            }
        }
        all.extend((!rest.is_empty()).then_some(rest));
        all
    }

    /// Bytes that a page unpacks to.
    fn length(&self, page: &Page<'_>) -> u64 {
        match (page.held, self.from) {
            (Held::Bytes(bytes), _) => bytes.len() as u64,
            (Held::Entry(index), Some((container, _))) => {
                container.entries().get(index).map_or(0, |entry| entry.length)
            }
            (Held::Entry(_), None) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use nats_hindsight_snapshot::Endpoint;
    use nats_hindsight_snapshot::format::Reply;

    use super::super::page::Page;
    use super::super::page::What;
    use super::super::pages::{Filing, Of, Pages};
    use super::{PER_THREAD, Readers, STRETCH};

    /// Pages that say their number, and are about as long as is read in a row.
    fn pages(count: usize) -> Pages {
        let mut filing = Filing::default();
        for number in 0..count {
            let length = usize::try_from(STRETCH).unwrap() / (1 + number % 5);
            let mut body =
                format!("{{\"server\":{{\"id\":\"N\"}},\"data\":{number}}}").into_bytes();
            body.resize(length, b' ');
            let what = What { endpoint: Endpoint::VARZ, of_stream: false };
            filing.body(Of { what, account: None, server: None }, &Arc::from(body));
        }
        filing.finish().0
    }

    #[test]
    fn pages_come_in_their_order_however_many_threads_read_them() {
        let pages = pages(PER_THREAD * 20);
        let pages: Vec<Page<'_>> = pages.iter().collect();
        let look = |reply: &Reply<'_>| {
            let text = reply.body.and_then(|body| body.text()).unwrap_or_default();
            text.trim_end().to_owned()
        };
        let all = || {
            let mut seen = Vec::new();
            Readers::new(None, None).each(&pages, &look, &mut |_, shown| {
                seen.push(shown.ok().unwrap().1);
            });
            seen
        };
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(all);
        assert!(one[7].ends_with("\"data\":7}"), "{}", one[7]);
        assert_eq!(one.len(), pages.len());
        for threads in [2, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert!(pool.install(all) == one, "{threads} threads");
        }
    }

    #[test]
    fn what_is_read_in_a_row_is_bounded() {
        let pages = pages(100);
        let pages: Vec<Page<'_>> = pages.iter().collect();
        let readers = Readers::new(None, None);
        let stretches = readers.stretches(&pages);
        assert_eq!(stretches.iter().map(|stretch| stretch.len()).sum::<usize>(), pages.len());
        for stretch in stretches {
            let but_last = stretch.split_last().map_or(&[][..], |(_, rest)| rest);
            let bytes: u64 = but_last.iter().map(|page| readers.length(page)).sum();
            assert!(!stretch.is_empty() && bytes < STRETCH, "{bytes}");
        }
    }
}

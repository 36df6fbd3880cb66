//! The servers of an epoch, listed in the order of their ids and found by hash.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use smol_str::SmolStr;

use super::Server;

/// Servers by id. Ids are long and alike, and every check looks up every server: a tree would
/// spend more time on comparing them than anything else does.
#[derive(Clone, Debug, Default)]
pub struct Servers {
    all: Vec<Server>,
    at: HashMap<SmolStr, usize, RandomState>,
}

/// Servers with their ids.
type Iter<'a> =
    std::iter::Map<std::slice::Iter<'a, Server>, fn(&'a Server) -> (&'a SmolStr, &'a Server)>;

impl Servers {
    /// The server of an id.
    pub fn get(&self, id: &str) -> Option<&Server> {
        self.all.get(*self.at.get(id)?)
    }

    /// Whether the server of an id is there.
    pub fn contains_key(&self, id: &str) -> bool {
        self.at.contains_key(id)
    }

    /// All servers with their ids, in the order of these.
    pub fn iter(&self) -> Iter<'_> {
        self.all.iter().map(|server| (&server.id, server))
    }

    /// All ids, in order.
    pub fn keys(&self) -> impl Iterator<Item = &SmolStr> {
        self.all.iter().map(|server| &server.id)
    }

    /// All servers, in the order of their ids.
    pub fn values(&self) -> std::slice::Iter<'_, Server> {
        self.all.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Server> {
        self.all.get_mut(*self.at.get(id)?)
    }

    /// The server of an id, which is there from now on.
    pub(super) fn entry(&mut self, id: &SmolStr) -> &mut Server {
        let known = self.at.get(id).copied();
        let at = known.unwrap_or(self.all.len());
        if known.is_none() {
            self.all.push(Server { id: id.clone(), name: id.clone(), ..Server::default() });
            self.at.insert(id.clone(), at);
        }
        &mut self.all[at]
    }

    /// Puts them into order, which is what they have to be in before anybody else sees them.
    pub(super) fn sort(&mut self) {
        // A server is large: each is moved once, and no id is hashed again.
        let mut order: Vec<usize> = (0..self.all.len()).collect();
        order.sort_by(|a, b| self.all[*a].id.cmp(&self.all[*b].id));
        let mut places = vec![0; order.len()];
        for (to, from) in order.iter().enumerate() {
            places[*from] = to;
        }
        self.at.values_mut().for_each(|at| *at = places[*at]);
        let all = order.into_iter().map(|from| std::mem::take(&mut self.all[from])).collect();
        self.all = all;
    }
}

impl<'a> IntoIterator for &'a Servers {
    type Item = (&'a SmolStr, &'a Server);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use smol_str::SmolStr;

    use super::Servers;

    #[test]
    fn every_server_is_found_and_all_are_in_order() {
        let mut servers = Servers::default();
        for id in ["NB", "NA", "NC", "NA"] {
            servers.entry(&SmolStr::new(id)).remotes = Some(u64::from(id.as_bytes()[1]));
        }
        servers.sort();
        assert_eq!(servers.keys().collect::<Vec<_>>(), ["NA", "NB", "NC"]);
        for (id, server) in &servers {
            assert_eq!(servers.get(id).map(|found| found.remotes), Some(server.remotes));
            assert_eq!((&server.id, &server.name), (id, id));
        }
        assert_eq!((servers.len(), servers.contains_key("ND")), (3, false));
        assert!(servers.get("ND").is_none());
    }
}

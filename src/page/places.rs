//! Where each thing of a picture is: in layers, from what went in to what came of it.

use ascii_dag::graph::{Direction, Graph as Layers};
use ascii_dag::ir::{EdgePath, NodeKind};

use super::graph::Link;

/// A thing's size.
pub(super) const WIDTH: usize = 212;
pub(super) const HEIGHT: usize = 44;
/// What one cell of the library's grid measures. It counts in characters and lines, so that a thing
/// is a label of `LABEL` characters, with a bracket at either end.
const CELL: (usize, usize) = (14, 14);
const LABEL: &str = "xxxxxxxxxxxxxx";
/// What is left free around the picture.
const MARGIN: usize = 16;

/// A picture's measures.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) width: usize,
    pub(super) height: usize,
    /// The upper left corner of each thing.
    pub(super) corners: Vec<(usize, usize)>,
    /// The points of each line, from what went in to what it went into.
    pub(super) lines: Vec<(Link, Vec<(usize, usize)>)>,
}

impl Places {
    /// Lays out so many things.
    pub(super) fn of(count: usize, links: &[Link]) -> Self {
        let mut layers = Layers::new();
        layers.set_direction(Direction::LeftRight);
        for at in 0..count {
            layers.add_node(at, LABEL);
        }
        for link in links {
            layers.add_edge(link.from, link.to, None);
        }
        let laid = layers.compute_layout();
        let mut places = Self { corners: vec![(MARGIN, MARGIN); count], ..Self::default() };
        for node in laid.nodes().iter().filter(|node| node.kind != NodeKind::Dummy) {
            if let Some(corner) = places.corners.get_mut(node.id) {
                *corner = (MARGIN + node.x * CELL.0, MARGIN + node.y * CELL.1);
            }
        }
        for edge in laid.edges() {
            let Some(link) = links.get(edge.edge_index) else { continue };
            // What closes a circle is laid out the other way round.
            let (left, right) =
                if edge.reversed { (edge.to_id, edge.from_id) } else { (edge.from_id, edge.to_id) };
            let (Some(left), Some(right)) = (places.corners.get(left), places.corners.get(right)) else {
                continue;
            };
            let mut points = vec![(left.0 + WIDTH, left.1 + HEIGHT / 2)];
            let mut through = match &edge.path {
                EdgePath::MultiSegment { waypoints, .. } => waypoints.clone(),
                _ => Vec::new(),
            };
            if edge.reversed {
                through.sort_unstable();
            }
            // Level past a layer, at whose far end the library has its point: nothing else is there.
            for (x, y) in through {
                let (x, y) = (MARGIN + x * CELL.0, MARGIN + y * CELL.1 + HEIGHT / 2);
                let from = points.last().map_or(x, |last| x.saturating_sub(WIDTH).max(last.0).min(x));
                points.extend([(from, y), (x, y)]);
            }
            points.push((right.0, right.1 + HEIGHT / 2));
            if edge.reversed {
                points.reverse();
            }
            places.lines.push((*link, points));
        }
        places.framed()
    }

    /// With no more around it than the margin.
    fn framed(mut self) -> Self {
        let top = self.all().map(|(_, y)| y).min().unwrap_or_default().saturating_sub(MARGIN);
        let points = self.lines.iter_mut().flat_map(|(_, points)| points);
        self.corners.iter_mut().chain(points).for_each(|(_, y)| *y = y.saturating_sub(top));
        self.width = self.all().map(|(x, _)| x).max().unwrap_or_default() + WIDTH + MARGIN;
        self.height = self.all().map(|(_, y)| y).max().unwrap_or_default() + HEIGHT + MARGIN;
        self
    }

    /// All corners and points.
    fn all(&self) -> impl Iterator<Item = (usize, usize)> {
        self.corners.iter().chain(self.lines.iter().flat_map(|(_, points)| points)).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn link(from: usize, to: usize) -> Link {
        Link { from, to, is_signed: true }
    }

    #[test]
    fn what_went_in_is_to_the_left() {
        let places = Places::of(3, &[link(0, 1), link(1, 2), link(0, 2)]);
        let [first, second, third] = places.corners[..] else { panic!("{places:?}") };
        assert!(first.0 + WIDTH < second.0 && second.0 + WIDTH < third.0, "{places:?}");
        assert_eq!(places.lines.len(), 3);
        for (of, points) in &places.lines {
            let (from, to) = (places.corners[of.from], places.corners[of.to]);
            assert_eq!(points.first(), Some(&(from.0 + WIDTH, from.1 + HEIGHT / 2)));
            assert_eq!(points.last(), Some(&(to.0, to.1 + HEIGHT / 2)));
        }
    }

    proptest! {
        /// Whatever is linked to what, in circles too: each has a place of its own in the picture.
        #[test]
        fn all_have_places(count in 1..40_usize, links in proptest::collection::vec((0..40_usize, 0..40_usize), 0..80)) {
            let links: std::collections::BTreeSet<_> =
                links.into_iter().map(|(a, b)| (a % count, b % count)).filter(|(a, b)| a != b).collect();
            let links: Vec<_> = links.into_iter().map(|(from, to)| link(from, to)).collect();
            let places = Places::of(count, &links);
            prop_assert_eq!(places.lines.len(), links.len());
            for (at, one) in places.corners.iter().enumerate() {
                prop_assert!(one.0 + WIDTH <= places.width && one.1 + HEIGHT <= places.height);
                for other in places.corners.iter().skip(at + 1) {
                    let apart = one.0.abs_diff(other.0) >= WIDTH || one.1.abs_diff(other.1) >= HEIGHT;
                    prop_assert!(apart, "{:?} {:?}", one, other);
                }
            }
        }
    }
}

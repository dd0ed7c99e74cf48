//! Circles in what refers to what. Must not know what the things are.

/// One circle for each reference that closes one, as places in their order; none is found twice.
pub(super) fn circles(refers: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut walk =
        Walk { refers, state: vec![State::New; refers.len()], path: Vec::new(), found: Vec::new() };
    (0..refers.len()).for_each(|place| walk.visit(place));
    walk.found
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    OnPath,
    Done,
}

struct Walk<'a> {
    refers: &'a [Vec<usize>],
    state: Vec<State>,
    path: Vec<usize>,
    found: Vec<Vec<usize>>,
}

impl Walk<'_> {
    /// As deep as there are things, of which the checker lets in few.
    fn visit(&mut self, place: usize) {
        match self.state.get(place) {
            Some(State::New) => {}
            Some(State::OnPath) => {
                let circle = self.path.iter().copied().skip_while(|on_path| *on_path != place);
                return self.found.push(circle.collect());
            }
            _ => return,
        }
        self.set(place, State::OnPath);
        self.path.push(place);
        let refers = self.refers;
        refers.get(place).into_iter().flatten().for_each(|next| self.visit(*next));
        self.path.pop();
        self.set(place, State::Done);
    }

    fn set(&mut self, place: usize, state: State) {
        if let Some(slot) = self.state.get_mut(place) {
            *slot = state;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::circles;

    #[test]
    fn circles_are_found_once() {
        let none: Vec<Vec<usize>> = Vec::new();
        assert_eq!(circles(&[vec![1, 2], vec![2], vec![]]), none);
        assert_eq!(circles(&[vec![0]]), [vec![0]]);
        assert_eq!(circles(&[vec![1], vec![2], vec![0], vec![0]]), [vec![0, 1, 2]]);
        assert_eq!(circles(&[vec![1], vec![0], vec![3], vec![2, 9]]), [vec![0, 1], vec![2, 3]]);
    }
}

//! The partitions that are ours, and how they come and go. Must not read a record.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pilotage_domain::event::Position;
use pilotage_engine::port::feed::{Loss, Partition, Shift, offset_of};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaResult;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

use crate::kafka::client::Context;

/// What the group's changes act on.
pub(super) struct Owned {
    shift: Arc<dyn Shift>,
    topic: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The offset that comes next in each partition that is ours.
    next: BTreeMap<Partition, u64>,
    /// Partitions that went since somebody asked.
    gone: Vec<Partition>,
    /// The group has taken us for dead, whatever the library makes of it.
    overslept: bool,
}

impl Owned {
    pub(super) fn new(shift: Arc<dyn Shift>, topic: &str) -> Self {
        Self { shift, topic: topic.to_owned(), state: Mutex::default() }
    }

    /// Whether the record at that offset is to be handed out: its partition is ours, and it has not been before.
    pub(super) fn pass(&self, partition: Partition, offset: u64) -> bool {
        let mut state = self.lock();
        let next = state.next.get_mut(&partition).filter(|next| offset >= **next);
        next.map(|next| *next = offset + 1).is_some()
    }

    /// We have not polled for so long that what goes now is another's already.
    pub(super) fn oversleep(&self) {
        self.lock().overslept = true;
    }

    /// Partitions that went since the last call.
    pub(super) fn take_gone(&self) -> Vec<Partition> {
        std::mem::take(&mut self.lock().gone)
    }

    /// What comes next in each partition that is ours.
    pub(super) fn next(&self) -> BTreeMap<Partition, u64> {
        self.lock().next.clone()
    }

    /// Places in the topic.
    pub(super) fn places(
        &self,
        places: impl IntoIterator<Item = (Partition, u64)>,
    ) -> KafkaResult<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in places {
            let offset = Offset::Offset(i64::try_from(offset).unwrap_or(i64::MAX));
            list.add_partition_offset(&self.topic, i32::from(partition.0), offset)?;
        }
        Ok(list)
    }

    fn gained<C: Consumer<Context<Self>>>(
        &self,
        consumer: &C,
        partitions: &[Partition],
    ) -> KafkaResult<()> {
        let positions = self.shift.gained(partitions);
        let next = positions.iter().map(|position| (Partition::of(*position), after(*position)));
        let next: BTreeMap<Partition, u64> = next.collect();
        let places = self.places(next.iter().map(|(partition, offset)| (*partition, *offset)))?;
        let mut state = self.lock();
        state.next.extend(next);
        state.overslept = false;
        drop(state);
        consumer.incremental_assign(&places)
    }

    fn lost(&self, partitions: &[Partition], was_lost: bool) {
        let mut state = self.lock();
        let loss = if was_lost || state.overslept { Loss::Taken } else { Loss::Asked };
        state.next.retain(|partition, _| !partitions.contains(partition));
        state.gone.extend(partitions);
        drop(state);
        self.shift.lost(partitions, loss);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The offset after a position.
pub(super) fn after(position: Position) -> u64 {
    offset_of(position).map_or(0, |offset| offset + 1)
}

fn partitions(list: &TopicPartitionList) -> Vec<Partition> {
    let numbers = list.elements().into_iter().map(|element| u16::try_from(element.partition()));
    numbers.filter_map(|number| number.ok().map(Partition)).collect()
}

impl ConsumerContext for Context<Owned> {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        what: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let partitions = partitions(list);
        // Something has come of the group, so a broker answers.
        self.reach.answered();
        let outcome = match what {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                self.role.gained(consumer, &partitions)
            }
            _ => {
                self.role.lost(&partitions, consumer.assignment_lost());
                consumer.incremental_unassign(list)
            }
        };
        if let Err(error) = outcome {
            tracing::error!(%error, "kafka partitions can't be taken over or given back");
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result {
            tracing::debug!(%error, "kafka takes no advice on offsets");
        }
    }
}

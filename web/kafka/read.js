// A plain consumer of the topic, as somebody else's program would be: it knows Kafka and JSON, and nothing of Pilotage.
// node web/kafka/read.js BROKERS TOPIC COUNT: prints that many records, each as a line of JSON, from the oldest on.

import { Kafka, logLevel } from 'kafkajs';

const [brokers = '', topic = '', count = '1'] = process.argv.slice(2);
const kafka = new Kafka({ clientId: 'plain', brokers: brokers.split(','), logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: `plain-${process.pid}` });
let left = Number(count);

await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await consumer.run({
  eachMessage: async ({ partition, message }) => {
    if (left === 0) return;
    left -= 1;
    const text = (/** @type {unknown} */ bytes) => (bytes === undefined || bytes === null ? null : String(bytes));
    const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, text(value)]);
    const line = { partition, key: text(message.key), headers: Object.fromEntries(headers), value: text(message.value) };
    process.stdout.write(`${JSON.stringify(line)}\n`);
    // From outside of the callback: the consumer waits for it before it ends.
    if (left === 0) setImmediate(() => void consumer.disconnect());
  },
});

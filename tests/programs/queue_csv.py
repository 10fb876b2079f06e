"""CSV files through queue runners: every record is trained on exactly n times; queues that workers and the ps share."""

import os

import harness

EPOCHS = 3
FILES, RECORDS = 4, 35  # files, and records in each
WORKERS = 2


def prepare(directory):
    for file in range(FILES):
        with open(os.path.join(directory, f"part-{file}.csv"), "w") as out:
            out.write("id,value,label\n")
            for record in range(RECORDS):
                number = file * RECORDS + record
                # A missing value stands for its default, -1.
                out.write(f"{number},{'' if number % 10 == 0 else number * 0.5},\"name, {number}\"\n")


def read_records(tf, task):
    """Batches of (ids, values, labels) of this worker's files, as queues fill them on the worker itself."""
    with tf.device(f"/job:worker/task:{task.index}"):
        files = [os.path.join(task.directory, f"part-{i}.csv") for i in range(FILES) if i % WORKERS == task.index]
        names = tf.train.string_input_producer(files, num_epochs=EPOCHS, shuffle=True, capacity=4)
        reader = tf.TextLineReader(skip_header_lines=1)
        key, line = reader.read(names)
        number, value, label = tf.decode_csv(line, record_defaults=[[0], [-1.0], [""]])
        return tf.train.shuffle_batch([number, value, label], batch_size=8, capacity=60, min_after_dequeue=20, num_threads=2,
                                      allow_smaller_final_batch=True)


def serve_until_done(tf, task):
    """A parameter server that ends by itself, once each worker has said through a queue that it is done."""
    server = tf.train.Server(tf.train.ClusterSpec(task.jobs), job_name="ps", task_index=task.index)
    with tf.device(f"/job:ps/task:{task.index}"):
        done = tf.FIFOQueue(WORKERS, tf.int32, shared_name="done_queue")
    took = done.dequeue()
    config = tf.ConfigProto(device_filters=["/job:ps"])  # it waits for nobody
    with tf.Session(server.target, config=config) as session:
        workers = [int(session.run(took)) for _ in range(WORKERS)]
    task.mark("served" if sorted(workers) == list(range(WORKERS)) else "confused")


def wait_until_ready(session, missing):
    while len(session.run(missing)):
        pass


def drain(tf, session, element):
    """All that is left in a closed queue."""
    taken = []
    while True:
        try:
            taken.append(int(session.run(element)))
        except tf.errors.OutOfRangeError:
            return taken


def main(tf, task):
    if task.job == "ps":
        return serve_until_done(tf, task)
    server = task.server(tf)
    numbers, values, labels = read_records(tf, task)
    with task.device(tf):
        total = tf.get_variable("total", [], tf.int64, initializer=tf.zeros_initializer(), trainable=False)
        add = tf.assign_add(total, tf.reduce_sum(tf.cast(numbers, tf.int64)), use_locking=True)
        missing = tf.report_uninitialized_variables(tf.global_variables())
        ready = tf.global_variables_initializer()
    with tf.device("/job:ps/task:0"):
        done = tf.FIFOQueue(WORKERS, tf.int32, shared_name="done_queue").enqueue(task.index)
        work = tf.RandomShuffleQueue(50, 0, [tf.int32], shapes=[[]], shared_name="work", seed=5)
    fill, close, take = work.enqueue_many([list(range(50))]), work.close(), work.dequeue()
    config = tf.ConfigProto(device_filters=["/job:ps", f"/job:worker/task:{task.index}"])
    seen, sizes, smallest = {}, [], 0.0
    with tf.Session(server.target, config=config) as session:
        if task.is_chief:
            session.run([ready, fill])
            session.run(close)
        wait_until_ready(session, missing)
        session.run(tf.local_variables_initializer())
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(sess=session, coord=coordinator)
        try:
            while not coordinator.should_stop():
                ids, texts, amounts, _ = session.run([numbers, labels, values, add])
                sizes.append(len(ids))
                smallest = min(smallest, float(amounts.min()))
                for number, text, amount in zip(ids.tolist(), texts, amounts):
                    assert text.decode() == f"name, {number}" and amount == (-1 if number % 10 == 0 else number * 0.5)
                    seen[number] = seen.get(number, 0) + 1
        except tf.errors.OutOfRangeError:
            pass
        finally:
            coordinator.request_stop()
            coordinator.join(threads)
        taken = drain(tf, session, take)
        task.wait_for_all("trained")
        whole = int(session.run(total))
        task.wait_for_all("read")
        session.run(done)
    served = task.wait_for("served", "ps")
    return {"records": len(seen), "times": sorted(set(seen.values())), "sizes": sorted(set(sizes)), "taken": taken,
            "total": whole, "smallest": smallest, "served": served}


def compare(ours, theirs):
    count = FILES * RECORDS
    for results in (ours, theirs):
        assert [r["records"] for r in results] == [count // WORKERS] * WORKERS, results
        for result in results:
            assert result["times"] == [EPOCHS] and result["served"] and result["smallest"] == -1, result
            assert result["total"] == EPOCHS * sum(range(count)), result
            # 210 records for a worker: 26 batches of 8 and one of 2.
            assert set(result["sizes"]) == {2, 8}, result
        assert sorted(results[0]["taken"] + results[1]["taken"]) == list(range(50)), results
        assert results[0]["taken"] + results[1]["taken"] != list(range(50)), "the queue did not shuffle"


if __name__ == "__main__":
    harness.start(main)

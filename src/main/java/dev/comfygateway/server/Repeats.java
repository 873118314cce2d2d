package dev.comfygateway.server;

import java.nio.ByteBuffer;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Memory of answers that hold for every request of the same bytes. Who polls sends the
 * same again and again, and to read it and to write the answer anew costs more than all
 * else; here both are compared and copied. Whether an answer still holds, its application
 * says each time, and it is never given after the second of its {@code Date}. Of one
 * thread.
 */
final class Repeats {

	/** Number of different requests; more push each other out. */
	private static final int MOST = 16;

	private final @Nullable Repeat[] repeats = new @Nullable Repeat[MOST];

	private int oldest;

	private final Supplier<String> clock;

	private final ByteBuffer request;

	private final ByteBuffer answer;

	private String date = "";

	private boolean isTooLong;

	private @Nullable BooleanSupplier holds;

	/**
	 * @param longestRequest bytes of the longest request
	 * @param longestAnswer bytes of the longest answer that is remembered
	 * @param clock the date as answers carry it
	 */
	Repeats(int longestRequest, int longestAnswer, Supplier<String> clock) {
		this.clock = clock;
		this.request = ByteBuffer.allocate(longestRequest);
		this.answer = ByteBuffer.allocate(longestAnswer);
	}

	/** The answer to this request where one holds, to be written from its beginning. */
	@Nullable ByteBuffer find(ByteBuffer asked) {
		for (Repeat repeat : repeats) {
			if (repeat != null && repeat.request.remaining() == asked.remaining()
					&& repeat.request.mismatch(asked) < 0) {
				return repeat.date.equals(clock.get()) && repeat.holds.getAsBoolean() ? repeat.answer.rewind() : null;
			}
		}
		return null;
	}

	/** A request is going to be answered. */
	void begin(ByteBuffer asked) {
		request.clear().put(asked.duplicate()).flip();
		answer.clear();
		isTooLong = false;
		date = clock.get();
		holds = null;
	}

	/** The answer holds as long as this says so. */
	void allow(BooleanSupplier holding) {
		holds = holding;
	}

	/** These bytes of the answer are being written. */
	void add(ByteBuffer bytes) {
		isTooLong |= bytes.remaining() > answer.remaining();
		if (!isTooLong) {
			answer.put(bytes);
		}
	}

	/** The request has been answered, and the connection is kept. */
	void end() {
		if (holds != null && !isTooLong && date.equals(clock.get())) {
			repeats[slot()] = new Repeat(copy(request), copy(answer.flip()), date, holds);
		}
		holds = null;
	}

	private int slot() {
		for (int i = 0; i < MOST; i++) {
			Repeat repeat = repeats[i];
			if (repeat == null || repeat.request.equals(request)) {
				return i;
			}
		}
		oldest = (oldest + 1) % MOST;
		return oldest;
	}

	private static ByteBuffer copy(ByteBuffer bytes) {
		return ByteBuffer.allocateDirect(bytes.remaining()).put(bytes).flip();
	}

	/**
	 * One answer.
	 *
	 * @param request what was asked
	 * @param answer what was answered
	 * @param date the date in it
	 * @param holds whether it still is the answer
	 */
	private record Repeat(ByteBuffer request, ByteBuffer answer, String date, BooleanSupplier holds) {
	}

}

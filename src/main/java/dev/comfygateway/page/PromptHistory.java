package dev.comfygateway.page;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * Record of the last hour, as callers get it.
 *
 * @param intervalSeconds length of a slot
 * @param points every slot, oldest first; the last one is not over yet
 */
record PromptHistory(@JsonProperty("interval_seconds") long intervalSeconds, List<HistoryPoint> points) {
}

/** The Helm chart, as the embedded Helm renders it. */
@NullMarked
package dev.comfygateway.chart;

import org.jspecify.annotations.NullMarked;

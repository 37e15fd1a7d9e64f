package org.tensorflow.lite;

/** Stands in for TensorFlow Lite's types of numbers; the app knows these two. */
public enum DataType {
    FLOAT32, INT8
}

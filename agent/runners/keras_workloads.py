"""The workloads as a Keras user runs them: fit(), and train_on_batch() where one call is what is measured. The backend,
TensorFlow or JAX, is KERAS_BACKEND's."""

import os

import keras
import numpy
from keras import layers

import datasets
import tensor_add as adding
from measurement import Measurement, Metrics, Stop, measure_calls


def versions():
    backend = keras.backend.backend()
    module = __import__(backend)
    return {"keras": keras.__version__, backend: module.__version__, "numpy": numpy.__version__}


def devices():
    if keras.backend.backend() == "jax":
        import jax
        found = [device for device in jax.devices() if device.platform == "gpu"]
        return [{"name": f"cuda:{i}", "kind": "cuda", "model": device.device_kind} for i, device in enumerate(found)]
    import tensorflow
    found = tensorflow.config.list_physical_devices("GPU")
    details = [tensorflow.config.experimental.get_device_details(device) for device in found]
    return [{"name": f"cuda:{i}", "kind": "cuda", "model": detail.get("device_name", "GPU")}
            for i, detail in enumerate(details)]


def is_out_of_memory(error):
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error) or "OOM when" in str(error)


def prepare(given, device):
    """What must be set before the first operation. Changes `given` to what takes effect."""
    keras.utils.set_random_seed(given.get("seed", 0))
    kind, _, index = device.partition(":")
    if keras.backend.backend() == "jax":
        import jax
        jax.config.update("jax_default_device", jax.devices("gpu" if kind == "cuda" else "cpu")[int(index or 0)])
        if kind == "cuda":  # by default it takes TF32 where there is TF32
            jax.config.update("jax_default_matmul_precision", "tensorfloat32" if given["dtype"] == "tf32" else "highest")
        return
    import tensorflow
    given["threads"] = given["threads"] or len(os.sched_getaffinity(0))
    tensorflow.config.threading.set_intra_op_parallelism_threads(given["threads"])
    tensorflow.config.experimental.enable_tensor_float_32_execution(given["dtype"] == "tf32")
    seen = tensorflow.config.list_physical_devices("GPU")
    tensorflow.config.set_visible_devices([seen[int(index or 0)]] if kind == "cuda" else [], "GPU")


def mnist_network():
    return keras.Sequential([
        keras.Input((28, 28, 1)), layers.Conv2D(32, 3, activation="relu"), layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2), layers.Dropout(0.25), layers.Flatten(), layers.Dense(128, activation="relu"),
        layers.Dropout(0.5), layers.Dense(10)])


def lenet():
    return keras.Sequential([
        keras.Input((32, 32, 3)), layers.Conv2D(16, 5, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(8, 5, activation="relu"), layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(120),
        layers.Dense(84), layers.Dense(10)])


def convolution(x, filters, kernel=3, stride=1, relu=True):
    x = layers.BatchNormalization()(layers.Conv2D(filters, kernel, strides=stride, padding="same")(x))
    return layers.ReLU()(x) if relu else x


def resnet63():
    inputs = keras.Input((32, 32, 3))
    x = convolution(inputs, 64)
    for filters in (64, 128, 256):
        for block in range(10):
            stride = 2 if block == 0 and filters > 64 else 1
            residual = convolution(convolution(x, filters, stride=stride), filters, relu=False)
            shortcut = x if stride == 1 else convolution(x, filters, 1, stride, relu=False)
            x = layers.ReLU()(layers.Add()([residual, shortcut]))
    return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


def image_cnn():
    stack = [keras.Input((256, 256, 3))]
    for filters, pool in ((32, 3), (64, 0), (64, 2), (128, 0), (128, 2)):
        stack += [layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.BatchNormalization()]
        if pool:
            stack += [layers.MaxPooling2D(pool), layers.Dropout(0.25)]
    return keras.Sequential([*stack, layers.Flatten(), layers.Dense(1024, activation="relu"),
                             layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(4)])


def compiled(network, optimizer):
    network.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return network


class Watch(keras.callbacks.Callback):
    """Tells the measurement of every batch and epoch of fit()."""

    def __init__(self, measurement, batch, samples, on_epoch=None):
        super().__init__()
        self.measurement, self.batch, self.samples, self.on_epoch = measurement, batch, samples, on_epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 0:
            self.measurement.restart()
        if self.on_epoch is not None:
            self.on_epoch(epoch)
        self.measurement.begin()

    def on_train_batch_end(self, batch, logs=None):
        if self.measurement.step(min(self.batch, self.samples - batch * self.batch)):
            self.measurement.check_finite(float(logs["loss"]))
            raise Stop

    def on_epoch_end(self, epoch, logs=None):
        names = ("loss", "accuracy", "val_loss", "val_accuracy")
        if self.measurement.end_epoch(*(float(logs[name]) for name in names)):
            raise Stop


def fit(network, measurement, data, given, watch, **options):
    """`data`: arrays of images and labels, or a PyDataset."""
    if not isinstance(data, keras.utils.PyDataset):
        data, options = data[0], {**options, "y": data[1], "batch_size": given["batch"]}
    try:
        network.fit(data, epochs=given["epochs"], verbose=0, callbacks=[watch], **options)
    except Stop:
        pass


def counts(network, metrics):
    def size(weights):
        return sum(int(numpy.prod(weight.shape)) for weight in weights)

    trainable = size(network.trainable_weights)
    metrics.record("parameters_total", trainable + sum(
        size(layer.non_trainable_weights) for layer in network.layers if isinstance(layer, layers.BatchNormalization)))
    metrics.record("parameters_trainable", trainable)


def scaled(images, mean=0.0, deviation=1.0):
    return (images.astype(numpy.float32) / 255 - mean) / deviation


def mnist_cnn(workload, given, device, dataset_dir):
    data = datasets.mnist_data(given, dataset_dir)
    train, test = ((scaled(images, 0.1307, 0.3081), labels) for images, labels in (data.train, data.test))
    optimizer = keras.optimizers.Adadelta(learning_rate=1.0, rho=0.9, epsilon=1e-6)
    network = compiled(mnist_network(), optimizer)

    def set_rate(epoch):
        optimizer.learning_rate = 0.7 ** epoch

    measurement = Measurement(given, -(-len(train[1]) // given["batch"]))
    fit(network, measurement, train, given, Watch(measurement, given["batch"], len(train[1]), set_rate),
        validation_data=test, validation_batch_size=given["test_batch"])
    metrics = Metrics(workload, measurement)
    metrics.rates()
    metrics.epochs()
    counts(network, metrics)
    return measurement, data.about(), []


def cifar_lenet(workload, given, device, dataset_dir):
    batch, count = given["batch"], given["batch"] * given["batches"]
    data = datasets.cifar_data(given, dataset_dir, count, 1000)
    train = scaled(data.train[0][:count]), data.train[1][:count]
    network = compiled(lenet(), keras.optimizers.SGD(0.01, momentum=0.9))
    measurement = Measurement(given, given["batches"])
    fit(network, measurement, train, given, Watch(measurement, batch, count), shuffle=False,
        validation_data=(scaled(data.test[0][:1000]), data.test[1][:1000]), validation_batch_size=1000)
    metrics = Metrics(workload, measurement)
    metrics.epochs(best=True)
    metrics.rates()
    counts(network, metrics)
    return measurement, data.about(), []


def cifar_resnet63(workload, given, device, dataset_dir):
    data = datasets.cifar_data(given, dataset_dir, given["batch"], 1)
    images, labels = scaled(data.train[0][:given["batch"]]), data.train[1][:given["batch"]]
    network = compiled(resnet63(), keras.optimizers.Adam(1e-3))
    metrics = Metrics(workload, Measurement(given))
    notes = measure_calls(metrics, given["batch"], lambda: float(network.train_on_batch(images, labels)[0]))
    counts(network, metrics)
    return metrics.measured, data.about(), notes


class Loaded(keras.utils.PyDataset):
    """An image loader's batches. Keras fetches them ahead as it likes, so nobody can tell what a step waited for."""

    def __init__(self, loader):
        super().__init__()
        self.loader = loader

    def __len__(self):
        return self.loader.steps

    def __getitem__(self, index):
        return self.loader.next()


def image_cnn_58m(workload, given, device, dataset_dir):
    batch = given["batch"]
    loader, held_out = datasets.image_loaders(given)
    network = compiled(image_cnn(), keras.optimizers.Adam(1e-3))
    measurement = Measurement(given, loader.steps)
    fit(network, measurement, Loaded(loader), given, Watch(measurement, batch, batch * loader.steps), shuffle=False,
        validation_data=Loaded(held_out))
    metrics = Metrics(workload, measurement)
    metrics.step_times()
    metrics.epochs()
    metrics.rates()
    counts(network, metrics)
    return measurement, loader.about(), []


def tensor_add(workload, given, device, dataset_dir):
    """Keras has nothing to say here: its backend alone."""
    in_backend = adding.in_jax if keras.backend.backend() == "jax" else adding.in_tensorflow
    return adding.run(in_backend, workload, given, device)


WORKLOADS = {function.__name__: function for function in
             (cifar_lenet, cifar_resnet63, image_cnn_58m, mnist_cnn, tensor_add)}

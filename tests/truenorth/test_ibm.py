"""Model files and spike lists: what is written is read, and what is damaged is named."""

import json
import random
import re
from dataclasses import fields as dataclass_fields

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import DETERMINISTIC, SATURATING, STOCHASTIC, random_cores, random_inputs

from swta.truenorth import Chip, Core, Neurons
from swta.truenorth.ibm import load_model, save_model
from swta.truenorth.ibmspikes import load_spikes, save_spikes
from swta.truenorth.ibmtext import compress, expand
from swta.validation import ParameterError

KINDS = (SATURATING, DETERMINISTIC, STOCHASTIC)
NAMES = [field.name for field in dataclass_fields(Neurons) if field.name != "core"]
relaxed = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def writable(core, rng):
    """The core with reset values that a file can hold."""
    values = {name: getattr(core.neurons, name) for name in NAMES}
    values["reset"] = rng.choice([-1, 1], 256) * (2 ** rng.integers(0, 20, 256) - 1)
    return Core(core.axon_type, core.crossbar, Neurons(**values))


def assert_equal_cores(one, other):
    np.testing.assert_array_equal(one.axon_type, other.axon_type)
    np.testing.assert_array_equal(one.crossbar, other.crossbar)
    for name in NAMES:
        np.testing.assert_array_equal(
            getattr(one.neurons, name), getattr(other.neurons, name), name
        )


@relaxed
@given(
    number=st.integers(0, 2**32),
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=3),
    extreme=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_round_trip(number, kinds, extreme, seed, tmp_path):
    """Random chips, all modes: the same cores and, run, the same spikes and potentials."""
    rng = np.random.default_rng(number)
    cores = [writable(core, rng) for core in random_cores(rng, kinds, extreme=extreme)]
    path, spikes = tmp_path / "model.json", tmp_path / "spikes.sfti"
    save_model(path, cores, seeds=[seed] * len(cores))
    model = load_model(path)
    assert model.seeds == (seed,) * len(cores)
    for one, other in zip(cores, model.cores, strict=True):
        assert_equal_cores(one, other)
    inputs = random_inputs(rng, len(cores), 20, 60)
    inputs[:, 0] += 1
    save_spikes(spikes, inputs)
    read = load_spikes(spikes)
    np.testing.assert_array_equal(read, inputs)
    chip, again = Chip(cores, seed=seed), model.chip()
    np.testing.assert_array_equal(chip.run(inputs, 24).events, again.run(read, 24).events)
    np.testing.assert_array_equal(chip.potentials, again.potentials)


def test_writing_twice_gives_the_same_bytes(tmp_path, rng):
    cores = [writable(core, rng) for core in random_cores(rng, KINDS)]
    save_model(tmp_path / "a", cores)
    save_model(tmp_path / "b", load_model(tmp_path / "a").cores)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["a", "b"]


# A small file as the Corelet tools of IBM write it: comments, prototypes, runs, output cores.
CORELET = """{
	/* General model parameters */
	"model":{ "coreCount":1, "neuronclass":"NeuronGeneral", "crossbarSize":256,
		"crossbarclass":"CrossbarBinary", "buildKey64":"20170421T154947", "networking":"INTRA",
		"useCrossbarPrototypes":true },
	/* Crossbar type library */
	"crossbarTypes":[ { "name":"coreProt0000001", "crossbar":{ "rows":[ ROWS ] } } ],
	/* Neuron type library */
	"neuronTypes":[
		{"name":"N00000002","class":"NeuronGeneral","sigma0":1,"sigma1":-1,"sigma2":1,"sigma3":1,
		"s0":4,"s1":2,"s2":0,"s3":0,"b0":false,"b1":true,"b2":false,"b3":false,"sigma_lambda":-1,
		"lambda":3,"c_lambda":false,"epsilon":true ,"alpha":18,"beta":7,"TM":2,"gamma":1,
		"kappa":false,"sigma_VR":-1,"VR":3,"V":-5},
		{"name":"N00000001","class":"NeuronGeneral","sigma0":1,"sigma1":1,"sigma2":1,"sigma3":1,
		"s0":1,"s1":0,"s2":0,"s3":0,"b0":false,"b1":false,"b2":false,"b3":false,"sigma_lambda":1,
		"lambda":0,"c_lambda":false,"epsilon":false,"alpha":1,"beta":0,"TM":0,"gamma":0,
		"kappa":true ,"sigma_VR":1,"VR":0,"V":0} ],
	"core":{
		"metadata":{ "coreletClass":"example", "parentCoreletId":[-1] },
		"id":0, "timeScaleExponent":0, "rngSeed":4294967295,
		"neurons":{ "dendrites":["0:255"], "types":["1x128","2x128"],
			"destCores":["0x128","-32x64","-33x64"], "destAxons":["128:255","0:63","0:63"],
			"destDelays":["1x255", "15"] },
		"crossbar":{ "name":"coreProt0000001" }
	}
}
"""
ROW = '{"type":"S%d","synapses":"%s"}'
EMPTY = " ".join(["00"] * 32)
FIRST = "80 00 01 " + " ".join(["00"] * 28) + " 0F"
ROWS = ",".join([ROW % (1, FIRST)] + [ROW % (0, EMPTY)] * 254 + [ROW % (3, EMPTY)])


@pytest.fixture
def corelet(tmp_path):
    def write(*changes):
        text = CORELET.replace("ROWS", ROWS)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "corelet.json"
        path.write_text(text)
        return path

    return write


def test_file_of_the_corelet_tools(corelet):
    model = load_model(corelet())
    (core,) = model.cores
    assert model.seeds == (2**32 - 1,)
    assert core.axon_type.tolist() == [1] + [0] * 254 + [3]
    assert np.flatnonzero(core.crossbar[0]).tolist() == [0, 23, 252, 253, 254, 255]
    assert not core.crossbar[1:].any()
    n = core.neurons
    assert n.weights[[0, 128]].tolist() == [[1, 0, 0, 0], [4, -2, 0, 0]]
    assert n.stochastic_synapse[128].tolist() == [False, True, False, False]
    for name, relay, other in (
        ("leak", 0, -3),
        ("leak_reversal", 0, 1),
        ("threshold", 1, 18),
        ("negative_threshold", 0, 7),
        ("threshold_mask_bits", 0, 2),
        ("reset_mode", 0, 1),
        ("negative_saturate", 1, 0),
        ("reset", 0, -7),
        ("potential", 0, -5),
    ):
        assert set(getattr(n, name)[:128]) == {relay} and set(getattr(n, name)[128:]) == {other}
    assert n.target_core.tolist() == [0] * 128 + [-1] * 128
    assert n.target_axon[:128].tolist() == list(range(128, 256))
    assert n.delay.tolist() == [1] * 255 + [15]


def test_neurons_as_a_list_of_objects(corelet):
    """The other form, with names of types, dendrites in another order, and -1 for no target."""
    entries = [
        {
            "type": "N00000002",
            "dendrite": 255 - k,
            "destCore": 0 if k else -1,
            "destAxon": k if k else -1,
            "delay": 1 + k % 15,
        }
        for k in range(256)
    ]
    old = CORELET[CORELET.index('"neurons":{') : CORELET.index('"crossbar":{ "name"')]
    model = load_model(corelet((old, f'"neurons":{json.dumps(entries)},')))
    (core,) = model.cores
    assert np.flatnonzero(core.crossbar[0]).tolist() == [0, 1, 2, 3, 232, 255]
    assert core.neurons.target_core.tolist() == [-1] + [0] * 255
    assert core.neurons.target_axon.tolist() == list(range(256))
    assert core.neurons.delay.tolist() == [1 + k % 15 for k in range(256)]
    entries[7]["dendrite"] = 3
    with pytest.raises(ParameterError, match=r"core 0: dendrites must name each of 0 … 255 once"):
        load_model(corelet((old, f'"neurons":{json.dumps(entries)},')))
    with pytest.raises(ParameterError, match=r"neurons describes 255 neurons; allowed: 256"):
        load_model(corelet((old, f'"neurons":{json.dumps(entries[1:])},')))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"lambda":3', '"lambda":256', r"neuronTypes\[0\]: lambda = 256 is out of range"),
        ('"lambda":3', '"lambda":-3', r"neuronTypes\[0\]: lambda = -3 is out of range"),
        ('"lambda":3', '"lambda":3.5', r"neuronTypes\[0\]: lambda = 3.5 is not a whole"),
        ('"lambda":3', '"lambda":NaN', "NaN is no number of the model"),
        ('"lambda":3', '"lambda":true', "lambda = True is not a whole number"),
        ('"lambda":3', '"lambda":"3"', "lambda = '3' is not a whole number"),
        ('"lambda":3', '"Lambda":3', r"neuronTypes\[0\]: field 'Lambda' is unknown; allowed: name"),
        ('"lambda":3,', "", r"neuronTypes\[0\]: field 'lambda' is missing"),
        ('"lambda":3', '"lambda":3,"lambda":4', r"field 'lambda' comes twice"),
        ('"sigma1":-1', '"sigma1":0', r"neuronTypes\[0\]: sigma1 = 0; allowed: -1, 1"),
        ('"s0":4', '"s0":256', r"neuronTypes\[0\]: s0 = 256"),
        ('"b1":true', '"b1":2', r"neuronTypes\[0\]: b1 = 2"),
        (
            '"name":"N00000002"',
            '"name":["N","2","in", "many", "parts", "which", "is", "long"]',
            r"neuronTypes\[0\]: name = \['N', .*\.\.\. is not a string",
        ),
        ('"dendrites":["0:255"]', '"dendrites":{}', "dendrites = {...} is not a list"),
        ('"alpha":18', '"alpha":262144', "alpha = 262144 is out of range; allowed: 0 … 262143"),
        ('"TM":2', '"TM":19', "TM = 19 is out of range; allowed: 0 … 18"),
        ('"gamma":1', '"gamma":3', "gamma = 3"),
        ('"VR":3', '"VR":20', "VR = 20 is out of range; allowed: 0 … 19"),
        ('"V":-5', '"V":-600000', "V = -600000"),
        ('"N00000002"', '"N00000001"', "name = 'N00000001' is used twice"),
        ('"2x128"', '"3x128"', "core 0, neuron 128: type 'N00000003' is unknown"),
        ('"2x128"', '"2x127"', r"core 0: neurons: types holds 255 numbers; allowed: 256"),
        ('"2x128"', '"2x999999999"', "types: '2x999999999' makes 1000000127 numbers; allowed: 256"),
        ('"2x128"', '"2*128"', r"'2\*128' is not a number, a repetition like"),
        ('"2x128"', "null", "types = None is not a string"),
        ('"128:255"', '"128:256"', "destAxons: .* makes 257 numbers"),
        ('"128:255"', '"255:128"', "destAxons: '255:128' makes 0 numbers"),
        ('"128:255"', '"129:256"', "core 0, neuron 127: target_axon = 256 is out of range"),
        ('"0x128","-32', '"1x128","-32', "core 0, neuron 0: destCore = 1 .* allowed: 0 … 0"),
        ('"1x255", "15"', '"1x255", "16"', "core 0, neuron 255: delay = 16"),
        ('"1x255", "15"', '"1x255", "0"', "core 0, neuron 255: delay = 0"),
        ('"S3"', '"S4"', r"row 255: type = 'S4'; allowed: S0, S1, S2, S3"),
        ("80 00 01", "80 0G 01", "row 0: synapses = '80 0G 01"),
        ("80 00 01", "80 00", "row 0: synapses = .* allowed: 32 bytes"),
        (ROW % (3, EMPTY), "", "line 7, column"),
        ("," + ROW % (3, EMPTY), "", "has 255 rows; allowed: 256"),
        ('{ "name":"coreProt0000001" }', '{ "name":"other" }', "name = 'other' is not among"),
        ('{ "name":"coreProt0000001" }', "{}", "core 0: crossbar: name = None is not a string"),
        ('"coreCount":1', '"coreCount":2', "coreCount = 2, but the file describes 1 cores"),
        ('"coreCount":1', '"coreCount":5000', "coreCount = 5000"),
        ('"crossbarSize":256', '"crossbarSize":128', "crossbarSize = 128"),
        ('"id":0', '"id":1', "core number 0 of the file: id = 1"),
        ('"timeScaleExponent":0', '"timeScaleExponent":1', "Only ticks of 1 ms are known"),
        ('"rngSeed":4294967295', '"rngSeed":4294967296', "core 0: rngSeed = 4294967296"),
        ('"metadata":', '"metadate":', "field 'metadate' is unknown"),
        ('"model":{', '"model":[{', "line 7, column 17"),
        ('"id":0', '"id":' + "9" * 5000, "integer string|out of range"),
        ("/* Crossbar", "* Crossbar", r"line 6, column 2"),
    ],
)
def test_damaged_file(corelet, old, new, message):
    with pytest.raises(ParameterError, match=message):
        load_model(corelet((old, new)))


def test_any_damage_is_refused_or_read(tmp_path):
    """Files cut anywhere, and files with any one bit turned: a model or a ParameterError."""
    text = CORELET.replace("ROWS", ROWS).encode()
    path = tmp_path / "damaged.json"
    chance = random.Random(0)
    core = load_model_or_none(path, text).cores[0]
    for _ in range(40):
        path.write_bytes(text[: chance.randrange(len(text) - 3)])
        with pytest.raises(ParameterError):
            load_model(path)
    head = [k for k in range(len(text)) if not 600 < k < len(text) - 2300]
    read = 0
    for position in chance.sample(head, 250):
        turned = bytearray(text)
        turned[position] ^= 1 << chance.randrange(8)
        model = load_model_or_none(path, bytes(turned))
        read += model is not None and len(model.cores) == 1
    assert 0 < read < 200
    assert core.crossbar.any()


def load_model_or_none(path, content):
    path.write_bytes(content)
    try:
        return load_model(path)
    except ParameterError as error:
        assert len(str(error)) < 2000
        return None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1, column 1"),
        (b"[" * 100_000, "nested too deeply|line 1"),
        (b"[]", r"model.json = \[\] is not an object"),
        (b"\xff\xfe", "cannot be read as text"),
        (b'{"core":1}', "field 'model' is missing"),
        (b'{"model":{},"neuronTypes":[],"x":1}', "model file: field 'x' is unknown"),
        (b"__import__('os').system('true')", "line 1, column 1"),
        (b"\x80\x04\x95\x05.", "cannot be read as text"),
    ],
)
def test_what_is_no_model(tmp_path, content, message):
    path = tmp_path / "model.json"
    path.write_bytes(content)
    with pytest.raises(ParameterError, match=message):
        load_model(path)


def test_no_such_file(tmp_path):
    with pytest.raises(ParameterError, match=r"absent.json cannot be read as text.*No such file"):
        load_model(tmp_path / "absent.json")


def test_two_cores_of_one_number(tmp_path):
    path = tmp_path / "x"
    save_model(path, [Core(0, 0, Neurons(weights=1))] * 2)
    path.write_text(path.read_text().replace('"id":1', '"id":0'))
    with pytest.raises(ParameterError, match="two cores have id = 0; each from 0 to 1 once"):
        load_model(path)


def test_what_a_file_cannot_hold(tmp_path, rng):
    core = Core(0, 0, Neurons(weights=1, reset=[2] + [0] * 255))
    with pytest.raises(ParameterError, match="core 0, neuron 0: reset = 2 cannot be written"):
        save_model(tmp_path / "x", [core])
    good = Core(0, 0, Neurons(weights=1))
    with pytest.raises(ParameterError, match="2 seeds for 1 cores"):
        save_model(tmp_path / "x", [good], seeds=[1, 2])
    with pytest.raises(ParameterError, match="core 0: seed = 4294967296"):
        save_model(tmp_path / "x", [good], seeds=[2**32])
    assert list(tmp_path.iterdir()) == []
    save_model(tmp_path / "x", [good, good], seeds=[1, 2])
    with pytest.raises(ParameterError, match=r"rngSeed differs between cores \(1, ...\)"):
        load_model(tmp_path / "x").chip()


@given(st.lists(st.integers(-40, 300), max_size=300) | st.just(list(range(128, 256))))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_runs_are_read_as_they_were_written(numbers):
    assert expand(compress(numbers), len(numbers), "list") == numbers


def test_runs_are_short():
    assert compress([1] * 128 + [2] * 64) == ["1x128", "2x64"]
    assert compress(range(128, 256)) == ["128:255"]
    assert compress([-32] * 3 + [5]) == ["-32x3", "5x1"]


def test_spike_list_as_others_write_it(tmp_path):
    path = tmp_path / "spikes.sfti"
    path.write_text(
        '{"class":"SpikeWriter","encoding":"TEXT","nscsVersion":"1.4.0"}\n'
        '    {"version":"sfto1.0", "defaultDestinationDelay" : 3}\n'
        '{"spike":{"srcTime":0,"destCore":0,"destAxon":255}}\n\n'
        '{"spike":{"srcTime":7,"destCore":12,"destAxon":0}}\n'
    )
    assert load_spikes(path).tolist() == [[3, 0, 255], [10, 12, 0]]
    path.write_text("")
    assert load_spikes(path).shape == (0, 3)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"spike":{"srcTime":-1,"destCore":0,"destAxon":0}}', "line 2: srcTime = -1"),
        ('{"spike":{"srcTime":1,"destCore":4096,"destAxon":0}}', "line 2: destCore = 4096"),
        ('{"spike":{"srcTime":1,"destCore":0,"destAxon":256}}', "line 2: destAxon = 256"),
        ('{"spike":{"srcTime":1,"destCore":0}}', "line 2: field 'destAxon' is missing"),
        ('{"spike":{"srcTime":1,"destCore":0,"destAxon":0,"x":1}}', "line 2: field 'x' is unknown"),
        ('{"spike":[1,2,3]}', r"line 2 = \[1, 2, 3\] is not an object"),
        ('{"spike":{"srcTime":1,"destCo', "line 2, column"),
        ('{"encoding":"RAWI3"}', "line 2: encoding = 'RAWI3'; allowed: 'TEXT'"),
        ('{"defaultDestinationDelay":16}', "line 2: defaultDestinationDelay = 16"),
        ('{"unknown":1}', "line 2: field 'unknown' is unknown"),
        ("7", "line 2 = 7 is not an object"),
    ],
)
def test_damaged_spike_list(tmp_path, line, message):
    path = tmp_path / "spikes.sfti"
    path.write_text('{"version":"sfto1.0"}\n' + line + "\n")
    with pytest.raises(ParameterError, match=re.compile(message)):
        load_spikes(path)


def test_header_after_a_spike(tmp_path):
    path = tmp_path / "spikes.sfti"
    save_spikes(path, [(1, 0, 0)])
    path.write_text(path.read_text() + '{"version":"sfto1.0"}\n')
    with pytest.raises(ParameterError, match="line 4: a header after the first spike"):
        load_spikes(path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((0, 0, 0), "inputs row 0: tick = 0 .* start the input a tick later"),
        ((1, 4096, 0), "inputs row 0: core = 4096"),
        ((1, 0, 256), "inputs row 0: axon = 256"),
    ],
)
def test_spikes_that_cannot_be_written(tmp_path, row, message):
    with pytest.raises(ParameterError, match=message):
        save_spikes(tmp_path / "x", [row])

"""The data sets of the book: where each comes from, what it must be, and its terms."""

from __future__ import annotations

from swta.data.bundled import BUNDLED
from swta.data.camvid_build import build_camvid, check_camvid, list_files
from swta.data.digit_build import (
    MNIST_M_ARCHIVE,
    MNIST_M_TEST,
    MNIST_M_TRAIN,
    SVHN_FILE,
    SVHN_MAT,
    build_mnist_m,
    build_svhn,
    check_arrays,
)
from swta.data.physiology_tables import PHYSIOLOGY
from swta.data.registry import DataSet, RemoteFile
from swta.validation import check_choice

_MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
_MNIST_FILES = (  # name, bytes, MD5 (torchvision's constant), SHA-256
    (
        "train-images-idx3-ubyte.gz",
        9_912_422,
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    (
        "train-labels-idx1-ubyte.gz",
        28_881,
        "d53e105ee54ea40749a09fcbcd1e9432",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    (
        "t10k-images-idx3-ubyte.gz",
        1_648_877,
        "9fb629c4189551a2d022fa330f9573f3",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    (
        "t10k-labels-idx1-ubyte.gz",
        4_542,
        "ec29112dd5afa0611ce80d1b7f02629c",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
)
_USPS_SHA256 = "734f88c541104a956d88be2c95d03b4a463ffd74ccc2ba9c80841fb98e3fcb36"
_USPS_PATH = "879a698b960e5867f7c2b11f8938fa89c3d21839/data/usps.h5"

MNIST = DataSet(
    name="mnist",
    title="MNIST handwritten digits",
    version="1998",
    folder="digits/MNIST",
    access="download",
    licence="copyright Y. LeCun and C. Cortes; commonly redistributed under CC BY-SA 3.0",
    citation="lecun1998",
    homepage="http://yann.lecun.com/exdb/mnist/",
    files=tuple(
        RemoteFile(
            f"raw/{name}",
            tuple(mirror + name for mirror in _MNIST_MIRRORS),
            sha256=sha256,
            md5=md5,
            size=size,
        )
        for name, size, md5, sha256 in _MNIST_FILES
    ),
    contents=tuple((f"raw/{name}", sha256) for name, _, _, sha256 in _MNIST_FILES),
)

USPS = DataSet(
    name="usps",
    title="USPS zip-code digits",
    version="The Elements of Statistical Learning: 7,291 training and 2,007 test digits",
    folder="digits/USPS",
    access="download",
    licence="no explicit licence; distributed for research since the 1990s",
    citation="hull1994",
    homepage="https://hastie.su.domains/ElemStatLearn/",
    files=(
        RemoteFile(
            "usps.h5",
            (
                "https://raw.githubusercontent.com/niuers/"
                f"Learning-From-Data-A-Short-Course/{_USPS_PATH}",
                "https://cdn.jsdelivr.net/gh/niuers/"
                f"Learning-From-Data-A-Short-Course@{_USPS_PATH}",
            ),
            sha256=_USPS_SHA256,
            size=2_913_522,
        ),
    ),
    contents=(("usps.h5", _USPS_SHA256),),
)

SVHN = DataSet(
    name="svhn",
    title="SVHN street-view house numbers, first 10,000 cropped test digits",
    version="2011, format 2",
    folder="digits/SVHN",
    access="build",
    licence="non-commercial use only",
    citation="netzer2011",
    homepage="http://ufldl.stanford.edu/housenumbers/",
    files=(
        RemoteFile(
            SVHN_MAT,
            (f"http://ufldl.stanford.edu/housenumbers/{SVHN_MAT}",),
            md5="eb5a983be6a315427106f1b164d9cef3",
            size=64_275_384,
        ),
    ),
    contents=((SVHN_FILE, ""),),
    build=build_svhn,
    check=check_arrays,
)

MNIST_M = DataSet(
    name="mnist_m",
    title="MNIST-M: MNIST digits blended with photographs",
    version="9,001 test images and 1,000 training images per digit",
    folder="digits/MNIST-M",
    access="build",
    licence="no explicit licence; that of MNIST and of the BSDS500 photographs (research only)",
    citation="ganin2016",
    homepage="http://yaroslav.ganin.net/",
    files=(
        RemoteFile(
            MNIST_M_ARCHIVE,
            (
                "https://codeload.github.com/ShichengChen/"
                "Domain-Adversarial-Training-of-Neural-Networks/tar.gz/"
                "dae4e088b27b9e0d6c8d586fa9972f86c97cb503",
                "https://github.com/ShichengChen/"
                "Domain-Adversarial-Training-of-Neural-Networks/archive/"
                "dae4e088b27b9e0d6c8d586fa9972f86c97cb503.tar.gz",
            ),
        ),
    ),
    contents=((MNIST_M_TEST, ""), (MNIST_M_TRAIN, "")),
    build=build_mnist_m,
    check=check_arrays,
)

CAMVID = DataSet(
    name="camvid",
    title="CamVid driving scenes, day and dusk, 480 x 360",
    version="SegNet form: 701 frames, 11 classes and void",
    folder="camvid",
    access="build",
    licence="cite the authors; the SegNet form is CC BY-NC 4.0",
    citation="brostow2009",
    homepage="http://mi.eng.cam.ac.uk/research/projects/VideoRec/CamVid/",
    files=list_files(),
    contents=(
        ("frames.csv", "60b916150e701ccc192d4436a31872e3bab56d02de257497a6c297051cec7826"),
        ("classes.csv", "ba6ff26f297c2913c9eedfddb0cb129a68b824d5b668390c26392bdad142c051"),
        ("images", ""),
        ("labels", ""),
    ),
    build=build_camvid,
    check=check_camvid,
)

_ACDC = DataSet(
    name="acdc",
    title="ACDC: adverse conditions with correspondences, night",
    version="2021",
    folder="acdc",
    access="registration",
    licence="licence page of the data set; research use after registration",
    citation="Sakaridis, Dai, Van Gool, ICCV 2021",
    homepage="https://acdc.vision.ee.ethz.ch/",
    contents=(
        ("rgb_anon/night/train", ""),
        ("rgb_anon/night/val", ""),
        ("gt/night/train", ""),
        ("gt/night/val", ""),
    ),
    layout=(
        "rgb_anon_trainvaltest.zip -> rgb_anon/night/{train,val,test}/GOPRxxxx/*_rgb_anon.png; "
        "gt_trainval.zip -> gt/night/{train,val}/GOPRxxxx/*_gt_labelTrainIds.png"
    ),
)
_DARK_ZURICH = DataSet(
    name="dark_zurich",
    title="Dark Zurich, validation at night",
    version="2019",
    folder="dark_zurich",
    access="registration",
    licence="terms of the data set's page; research use",
    citation="Sakaridis, Dai, Van Gool, ICCV 2019",
    homepage="https://www.trace.ethz.ch/publications/2019/GCMA_UIoU/",
    contents=(("rgb_anon/val/night", ""), ("gt/val/night", "")),
    layout=(
        "Dark_Zurich_val_anon.zip -> rgb_anon/val/night/GOPR0356/*_rgb_anon.png, "
        "gt/val/night/GOPR0356/*_gt_labelTrainIds.png, "
        "rgb_anon/val_ref/day/GOPR0356_ref (day partners)"
    ),
)
_NIGHTTIME_DRIVING = DataSet(
    name="nighttime_driving",
    title="Nighttime Driving test set",
    version="2018",
    folder="nighttime_driving",
    access="registration",
    licence="terms of the data set's page; research use",
    citation="Dai, Van Gool, ITSC 2018",
    homepage="http://data.vision.ee.ethz.ch/daid/NighttimeDriving/NighttimeDrivingTest.zip",
    contents=(
        ("leftImg8bit/test/night", ""),
        ("gtCoarse_daytime_trainvaltest/test/night", ""),
    ),
    layout=(
        "NighttimeDrivingTest.zip -> leftImg8bit/test/night/*_leftImg8bit.png, "
        "gtCoarse_daytime_trainvaltest/test/night/*_gtCoarse_labelTrainIds.png"
    ),
)
_NIGHTCITY = DataSet(
    name="nightcity",
    title="NightCity",
    version="2021: 2,998 training and 1,299 validation images",
    folder="nightcity",
    access="registration",
    licence="terms of the data set's page; research use",
    citation="Tan et al., IEEE Transactions on Image Processing 2021",
    homepage="https://dmcv.sjtu.edu.cn/people/phd/tanxin/NightCity/index.html",
    contents=(
        ("NightCity-images/images/train", ""),
        ("NightCity-images/images/val", ""),
        ("NightCity-label/label/train", ""),
        ("NightCity-label/label/val", ""),
    ),
    layout=(
        "NightCity-images/images/{train,val}/*.png, "
        "NightCity-label/label/{train,val}/*_labelIds.png"
    ),
)
_CITYSCAPES = DataSet(
    name="cityscapes",
    title="Cityscapes, fine annotations (day)",
    version="2016",
    folder="cityscapes",
    access="registration",
    licence="licence of the data set; research use after registration",
    citation="Cordts et al., CVPR 2016",
    homepage="https://www.cityscapes-dataset.com/downloads/",
    contents=(
        ("leftImg8bit/train", ""),
        ("leftImg8bit/val", ""),
        ("gtFine/train", ""),
        ("gtFine/val", ""),
    ),
    layout=(
        "leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip -> {leftImg8bit,gtFine}/"
        "{train,val,test}/<city>/<city>_<6 digits>_<6 digits>_{leftImg8bit,gtFine_labelIds}.png"
    ),
)

CATALOGUE: dict[str, DataSet] = {
    data_set.name: data_set
    for data_set in (
        PHYSIOLOGY,
        MNIST,
        USPS,
        SVHN,
        MNIST_M,
        CAMVID,
        _ACDC,
        _DARK_ZURICH,
        _NIGHTTIME_DRIVING,
        _NIGHTCITY,
        _CITYSCAPES,
    )
}


def describe(name: str) -> DataSet:
    """Return the catalogue entry of a data set that is placed, downloaded or built.

    Raises:
        ParameterError: no such data set; the message names the nearest.
    """
    return CATALOGUE[check_choice("data set", name, CATALOGUE)]


def check_name(name: str) -> str:
    """Return ``name`` if it is a data set of the catalogue or one that the package bundles.

    Raises:
        ParameterError: neither; the message names the nearest.
    """
    return check_choice("data set", name, (*CATALOGUE, *BUNDLED))

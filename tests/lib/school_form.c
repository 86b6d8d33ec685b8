#include "tests/lib/school_model.h"

#include <assert.h>
#include <stdio.h>

enum { TEACHER_HOURS_MAX = 22 };

static const char *const letters[SCHOOL_PARALLELS_MAX] = {"А", "Б", "В", "Г", "Д", "Е"};

uint64_t school_draw_id(struct school *school)
{
    return draw_id(&school->ids);
}

/* Every hundredth person, the kinds of edge in turn. */
struct school_name school_draw_person(struct school *school)
{
    unsigned n = school->people_drawn++;
    enum name_edge edge = NAME_PLAIN;
    if (n % 100 == (unsigned)(school->options.seed % 100)) {
        edge = (enum name_edge)(1 + n / 100 % (NAME_EDGE_COUNT - 1));
    }
    return name_draw(&school->people, edge);
}

void school_class_name(const struct school_class *class, char out[8])
{
    (void)snprintf(out, 8, "%u%s", class->grade % 100, letters[class->letter]);
}

uint64_t school_page_members(const struct school *school, const struct school_page *page)
{
    const struct school_class *class = &school->classes[page->class_number];
    return page->pupil == NOBODY ? (((uint64_t)1 << class->pupils) - 1) & ~class->gone : 1;
}

unsigned school_page_pupils(const struct school *school, const struct school_page *page)
{
    unsigned count = 0;
    for (uint64_t left = school_page_members(school, page); left != 0; left &= left - 1) {
        count++;
    }
    return count;
}

const struct school_pupil *school_page_pupil(
    const struct school *school, const struct school_page *page, unsigned number)
{
    unsigned of_class = school->classes[page->class_number].list[number];
    return &school->pupils[page->pupil == NOBODY ? of_class : (unsigned)page->pupil];
}

void school_join_class(struct school *school, unsigned number, unsigned pupil)
{
    struct school_class *class = &school->classes[number];
    assert(class->pupils < CLASS_PUPILS_MAX);
    school->pupils[pupil].class_number = (int)number;
    school->pupils[pupil].number = class->pupils;
    class->list[class->pupils++] = (unsigned short)pupil;
}

static struct school_pupil draw_pupil(struct school *school, unsigned grade)
{
    unsigned age = grade + 6 + draw_below(&school->people, 2);
    unsigned month = draw_between(&school->people, 1, 12);
    unsigned day = draw_between(&school->people, 1, 28);
    struct school_name name = school_draw_person(school);
    return (struct school_pupil){
        .id = school_draw_id(school),
        .name = name,
        .skill_milli = draw_normal(&school->people, 0, 600),
        .born = (school->year - age) * 10000 + month * 100 + day,
    };
}

/* Of a class that is formed. */
static unsigned draw_size(struct school *school, unsigned number)
{
    const struct school_options *options = &school->options;
    if (options->class_sizes != NULL) {
        return options->class_sizes[number];
    }
    bool is_senior = school->classes[number].grade >= 10;
    unsigned fill = is_senior ? options->fill * 65 / 100 : options->fill;
    int64_t drawn = draw_normal(&school->people, (int64_t)fill * 1000, 2500) / 1000;
    return drawn < 8 ? 8 : drawn > CLASS_PUPILS_MAX ? CLASS_PUPILS_MAX : (unsigned)drawn;
}

static void form_pupils(struct school *school, unsigned number)
{
    unsigned size = draw_size(school, number);
    for (unsigned i = 0; i < size; i++) {
        assert(school->pupil_count < PUPILS_MAX);
        school->pupils[school->pupil_count] = draw_pupil(school, school->classes[number].grade);
        school_join_class(school, number, school->pupil_count++);
    }
}

/* One with hours to spare, or a new one. */
static int find_teacher(struct school *school, enum school_department department, unsigned hours)
{
    for (int i = 0; i < school->teacher_count; i++) {
        struct school_teacher *teacher = &school->teachers[i];
        if (teacher->department == department && teacher->hours + hours <= TEACHER_HOURS_MAX) {
            teacher->hours += hours;
            return i;
        }
    }
    assert(school->teacher_count < TEACHERS_MAX && school->years_begun == 0);
    struct school_name name = school_draw_person(school);
    school->teachers[school->teacher_count] = (struct school_teacher){
        .id = school_draw_id(school),
        .name = name,
        .department = department,
        .hours = hours,
    };
    return school->teacher_count++;
}

static void form_page(struct school *school, struct school_page page)
{
    assert(school->page_count < PAGES_MAX);
    page.id = school_draw_id(school);
    page.work_phase = draw_below(&school->people, 9);
    school->pages[school->page_count++] = page;
}

/* In grades 1–4 one teacher has most subjects of a class, and no other class. */
static void form_pages(struct school *school, unsigned number)
{
    struct school_class *class = &school->classes[number];
    int own =
        class->grade <= 4 ? find_teacher(school, DEPARTMENT_PRIMARY, TEACHER_HOURS_MAX) : NOBODY;
    class->teacher = own;
    for (unsigned s = 0; s < SUBJECT_COUNT; s++) {
        enum school_subject subject = (enum school_subject)s;
        unsigned hours = curriculum_hours(class->grade, subject);
        if (hours == 0) {
            continue;
        }
        enum school_department department = curriculum_department(class->grade, subject);
        bool is_own = department == DEPARTMENT_PRIMARY;
        int teacher = is_own ? own : find_teacher(school, department, hours);
        form_page(school,
            (struct school_page){
                .class_number = number,
                .subject = subject,
                .teacher = teacher,
                .pupil = NOBODY,
                .hours = hours,
            });
    }
}

/* One of those who teach the class, and whose class no other is where that can be. */
static void choose_class_teacher(struct school *school, unsigned number, unsigned first_page)
{
    struct school_class *class = &school->classes[number];
    for (unsigned p = first_page; p < school->page_count && class->teacher == NOBODY; p++) {
        int candidate = school->pages[p].teacher;
        bool taken = false;
        for (unsigned c = 0; c < number; c++) {
            taken = taken || school->classes[c].teacher == candidate;
        }
        class->teacher = taken ? NOBODY : candidate;
    }
    if (class->teacher == NOBODY) {
        class->teacher = school->pages[first_page].teacher;
    }
}

/* One pupil in a hundred has Russian or mathematics alone; every school has such a pupil. */
static void form_individual_pages(struct school *school)
{
    for (unsigned n = 0; n < school->pupil_count; n += 100) {
        unsigned pupil = n + draw_below(&school->people, 100);
        pupil = pupil < school->pupil_count ? pupil : n;
        unsigned number = (unsigned)school->pupils[pupil].class_number;
        unsigned at = 0;
        while (school->pages[at].class_number != number) {
            at++;
        }
        form_page(school,
            (struct school_page){
                .class_number = number,
                .subject = school->pages[at].subject,
                .teacher = school->pages[at].teacher,
                .pupil = (int)pupil,
                .weekday = draw_below(&school->people, school->options.week_days),
                .hours = 1,
            });
    }
}

void school_form_year(struct school *school)
{
    const struct school_options *options = &school->options;
    school->class_count = school->pupil_count = school->page_count = 0;
    school->year_id = school_draw_id(school);
    for (int i = 0; i < school->teacher_count; i++) {
        school->teachers[i].hours = 0;
    }
    for (unsigned grade = options->grade_from; grade <= options->grade_to; grade++) {
        for (unsigned letter = 0; letter < options->parallels; letter++) {
            unsigned number = school->class_count++;
            unsigned first_page = school->page_count;
            school->classes[number] = (struct school_class){
                .id = school_draw_id(school),
                .grade = grade,
                .letter = letter,
            };
            form_pupils(school, number);
            form_pages(school, number);
            choose_class_teacher(school, number, first_page);
        }
    }
    form_individual_pages(school);
    school_form_timetable(school);
}
